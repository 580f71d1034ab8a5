"""``plan``: trials, lock, forecast and refusals before any job, and nothing written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cli_bench import NO_ROOM, OK, Bench
from cli_in_process import BRIEF, set_quota, wpfsm, written
from watched_world import Watched, loop_file

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

ON_AWS = (
    "--backend",
    "aws",
    "--set",
    "pool.role=arn:aws:iam::123456789012:role/Train",
    "--set",
    "job.image=image",
)
"""With the caller's own credentials, as against AWS; the local backend has fixed ones."""


def test_plan_gives_the_figures_of_the_brief(folder: Path) -> None:
    """7 jobs, 300 s cold and billed, 120 s of training, 90 s between: 28 min and $1.31 against 58 min and $2.29."""
    ran = wpfsm("plan", written(folder), "--offline", "-o", "json")
    assert ran.code == 0
    forecast = ran.document["forecast"]
    assert forecast["warm"]["wall_seconds"] == 28 * 60
    assert forecast["cold"]["wall_seconds"] == 58 * 60
    assert round(forecast["warm"]["cost_usd"], 2) == 1.31
    assert round(forecast["cold"]["cost_usd"], 2) == 2.29
    assert forecast["speedup"] == pytest.approx(58 / 28)
    assert round(forecast["cost_saving"], 2) == 0.43
    page = wpfsm("plan", written(folder), "--offline").out
    assert "plan brief: 7 job(s) on 1 x ml.g6e.2xlarge" in page
    for figure in ("28 min", "$1.31", "58 min", "$2.29"):
        assert figure in page


def test_plan_with_the_documented_billing_says_what_is_true_then(folder: Path) -> None:
    """Provisioning is not billed, so the pool saves time and costs its idle seconds: said, in figures and words."""
    ran = wpfsm("plan", written(folder, BRIEF.replace("true}", "false}")), "--offline", "-o", "json")
    forecast = ran.document["forecast"]
    assert forecast["warm"]["wall_seconds"] == 28 * 60
    assert forecast["cold"]["wall_seconds"] == 58 * 60
    assert round(forecast["warm"]["cost_usd"], 2) == round((7 * 120 + 6 * 90) / 3600 * 2.8, 2) == 1.07
    assert round(forecast["cold"]["cost_usd"], 2) == round(7 * 120 / 3600 * 2.8, 2) == 0.65
    assert forecast["cost_saving"] < 0
    assert any("billed" in note for note in ran.document["forecast_notes"])


def test_plan_of_a_fix_expects_what_runs_if_nothing_fails(folder: Path) -> None:
    """The forecast is made for one job, and for all attempts beside it."""
    text = BRIEF.split("strategy:")[0] + "strategy:\n- {type: fix, attempts: 3}\n- {type: single}\n"
    document = wpfsm("plan", written(folder, text), "--offline", "-o", "json").document
    assert (document["jobs_expected"], document["jobs"]) == (2, 4)
    wall = [document[name]["warm"]["wall_seconds"] for name in ("forecast", "forecast_at_most")]
    assert wall[0] < wall[1]
    page = wpfsm("plan", written(folder, text), "--offline").out
    assert "2 job(s) expected, at most 4 on" in page
    assert "fix: 1 trial(s) expected, at most 3" in page
    assert "warm, 4 job(s)" in page


def test_offline_plan_reads_and_writes_nothing(folder: Path) -> None:
    """No endpoint, no credentials, no database: and none is made."""
    assert wpfsm("plan", written(folder), "--offline").code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["loop.yaml", "src"]


def test_plan_shows_headroom_and_price(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Against an account: both quotas as headroom, and the account's price where the file has none."""
    ran = wpfsm("plan", written(folder, BRIEF.replace(", price_per_hour: 2.80", "")), *ON_AWS, "-o", "json")
    assert ran.code == 0
    quota = ran.document["quota"]
    assert quota["warm_pool"] == {
        "name": "ml.g6e.2xlarge for training warm pool usage", "value": 100.0, "source": "applied",
        "held": 0, "free": 100.0, "needed": 1, "verdict": "ok",
    }  # fmt: skip
    assert quota["training"]["verdict"] == "ok"
    assert ran.document["price"]["source"] == "price list"
    assert ran.document["findings"] == []
    writes = {"CreateTrainingJob", "UpdateTrainingJob", "StopTrainingJob", "RequestServiceQuotaIncrease"}
    assert not writes & {call["operation"] for call in sagemaker_emulator.records()["calls"]}


def test_plan_of_lanes_asks_for_room_time_and_money_times_as_many(
    folder: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """Four lanes of two instances: eight in both quotas, two trials in turn on the busiest lane, four leaks at worst."""
    text = BRIEF.replace("keep_alive: 10m", "keep_alive: 10m, instance_count: 2")
    one, four = (
        wpfsm("plan", written(folder, text), *ON_AWS, "--set", f"lanes={lanes}", "-o", "json").document
        for lanes in (1, 4)
    )
    assert [four["quota"][kind]["needed"] for kind in ("training", "warm_pool")] == [8, 8]
    assert [one["quota"][kind]["needed"] for kind in ("training", "warm_pool")] == [2, 2]
    for leak in ("killed_between_jobs_usd", "killed_during_job_usd"):
        assert four["worst_case"][leak] == pytest.approx(4 * one["worst_case"][leak])
    # 7 jobs: 300 s cold and 7 x 120 s with 6 gaps of 90 s, against two jobs and one gap.
    assert one["forecast"]["warm"]["wall_seconds"] == 300 + 7 * 120 + 6 * 90
    assert four["forecast"]["warm"]["wall_seconds"] == 300 + 2 * 120 + 90
    set_quota(sagemaker_emulator, "ml.g6e.2xlarge for training warm pool usage", 7)
    ran = wpfsm("plan", written(folder, text), *ON_AWS, "--set", "lanes=4")
    assert ran.code == 3
    assert "8 needed" in ran.out


def test_plan_refuses_what_preflight_would(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A quota of 0 and a type that does not exist: exit 3, both findings on the page, each with its fix."""
    set_quota(sagemaker_emulator, "ml.g6e.2xlarge for training warm pool usage", 0)
    ran = wpfsm(
        "plan", written(folder, BRIEF.replace("keep_alive: 10m", "keep_alive: 10m, kms_key: 'a b'")), *ON_AWS
    )
    assert ran.code == 3
    assert "refuse: pool.kms_key: 'a b' does not match the service's pattern" in ran.out
    assert "keep-alive would silently do nothing" in ran.out
    assert "fix: aws service-quotas request-service-quota-increase" in ran.out


def test_plan_refuses_by_the_model_without_an_account(folder: Path) -> None:
    """The bounds of the service's model need no service."""
    ran = wpfsm(
        "plan", written(folder, BRIEF.replace("g6e.2xlarge", "g6e.3xlarge")), "--offline", "-o", "json"
    )
    assert ran.code == 3
    (finding,) = ran.document["findings"]
    assert finding["kind"] == "request"
    assert "pool.instance_type: 'ml.g6e.3xlarge' is none of" in finding["text"]


def test_plan_checks_a_request_of_ones_own(folder: Path) -> None:
    """A request file is read and refused by name, before any start."""
    request = {
        "RoleArn": "arn:aws:iam::123456789012:role/Train",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.g6e.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "EnableManagedSpotTraining": True,
    }
    (folder / "request.json").write_text(json.dumps(request))
    text = BRIEF.replace("source: src, entry: train.py", "request: request.json")
    ran = wpfsm("plan", written(folder, text), "--offline", "-o", "json")
    assert ran.code == 3
    assert [finding["text"].split(":")[0] for finding in ran.document["findings"]] == [
        "EnableManagedSpotTraining"
    ]


def test_limit_that_admits_no_job_is_exit_20(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """What the first job could cost at worst passes the limit: plan says so as start would."""
    ran = wpfsm("plan", written(folder, BRIEF + "limits: {max_cost: 1}\n"))
    assert ran.code == 20
    assert "one more job could pass limits.max_cost: $0.00 spent + $2.57 at worst" in ran.out


def test_plan_learns_from_the_last_loop(folder: Path) -> None:
    """With a finished loop of this name its measured starts and gaps replace the assumptions, and enough of them advise."""
    world = Watched(loop_file(6))
    world.run()
    file = folder / "story.yaml"
    file.write_text(json.dumps({"version": 1, "name": "story", **loop_file(6)}))
    document = wpfsm("plan", str(file), "--offline", "-o", "json", "--db", str(world.database)).document
    assert document["assumptions"]["measured"] is True
    assert document["assumptions"]["cold_start"] == 120
    assert document["assumptions"]["train"] == 100
    assert document["advice"]["keep_alive_seconds"] == 60
    assert "95 % of 5 gaps" in document["advice"]["why"]


@pytest.mark.parametrize(
    "other",
    [
        {
            "backend": "aws",
            "pool": {"role": "arn:aws:iam::123456789012:role/Train"},
            "job": {"image": "image"},
        },
        {"pool": {"instance_type": "ml.g5.2xlarge"}},
        {"region": "eu-west-1"},
    ],
    ids=["backend", "instance type", "region"],
)
def test_plan_does_not_learn_from_another_kind_of_loop(folder: Path, other: dict[str, Any]) -> None:
    """An emulator's starts, or another type's, say nothing of the loop ahead: the assumptions stand."""
    world = Watched(loop_file(3))
    world.run()
    text: dict[str, Any] = {"version": 1, "name": "story", **loop_file(3)}
    for key, value in other.items():
        text[key] = {**text[key], **value} if isinstance(value, dict) else value
    file = folder / "story.yaml"
    file.write_text(json.dumps(text))
    document = wpfsm("plan", str(file), "--offline", "-o", "json", "--db", str(world.database)).document
    assert document["assumptions"]["measured"] is False
    assert document["assumptions"]["cold_start"] == 300
    assert document["advice"] is None


def test_plan_page_says_what_its_figures_rest_on(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Times and where they come from, the price with its date, the lock, and the room in both quotas."""
    page = wpfsm("plan", written(folder, BRIEF.replace(", price_per_hour: 2.80", "")), *ON_AWS).out
    assert "times: 5 min cold start, 0 s warm, 2 min of training, 90 s between jobs; assumed" in page
    assert re.search(r"price: \$[\d.]+/h an instance \(price list, \d{4}-\d\d-\d\d\)", page)
    assert "lock: instance_type ml.g6e.2xlarge, role arn:aws:iam::123456789012:role/Train" in page
    for usage in ("training job", "training warm pool"):
        assert f"quota: ml.g6e.2xlarge for {usage} usage = 100 (applied): 0 held, 100 free, 1 needed" in page


def test_plan_without_a_keep_alive_says_that_no_pool_is_kept(folder: Path) -> None:
    """A keep-alive of 0 is no pool that fails to survive the gap."""
    text = BRIEF.replace("keep_alive: 10m", "keep_alive: 0")
    (note,) = wpfsm("plan", written(folder, text), "--offline", "-o", "json").document["forecast_notes"]
    assert note == "The keep-alive is 0: no pool is kept, and every job starts cold."


def paths_in(bench: Bench) -> set[Path]:
    """Every path in the bench's folder."""
    return set(bench.folder.rglob("*"))


@pytest.mark.parametrize("offline", [[], ["--offline"]])
def test_plan_writes_nothing(bench: Bench, offline: list[str]):
    """Trials, lock, forecast and the worst case, without a database, a folder or a job."""
    file = bench.loop("planned", OK)
    before = paths_in(bench)
    ran = bench.run("plan", file, *offline, "-o", "json")
    assert ran.code == 0, ran.err
    assert [trial["params"] for trial in ran.json["trials"]] == [{"lr": 0.001}, {"lr": 0.01}]
    forecast = ran.json["forecast"]
    assert set(forecast) == {"warm", "cold", "speedup", "cost_saving"}
    assert set(forecast["warm"]) == {"wall_seconds", "cost_usd"}
    assert forecast["cold"]["wall_seconds"] > forecast["warm"]["wall_seconds"]
    assert ran.json["worst_case"]
    assert paths_in(bench) == before


def test_plan_offline_reads_no_service(alone: Bench):
    """Without an endpoint, credentials or a network, the plan is made all the same."""
    ran = alone.run(
        "plan",
        alone.loop("offline", OK),
        "--offline",
        "--backend",
        "local",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
    )
    assert ran.code == 0, ran.err
    assert "lr=0.001" in ran.out


def test_plan_refuses_what_start_would_refuse(bench: Bench):
    """No quota for the pool is exit code 3, with the command that asks for more."""
    ran = bench.run("plan", bench.loop("refused", OK, instance_type=NO_ROOM))
    assert ran.code == 3
    assert "request-service-quota-increase" in ran.out + ran.err
