"""``plan``, ``doctor`` and ``pools`` as the program prints them, against an emulator process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from watched_world import TYPE, Watched, loop_file

from wpfsm.adapters.emulator.launch import ask
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.cli import cli
from wpfsm.fsm.request.compose import LOOP_TAG
from wpfsm.state.database import create_or_open, siblings
from wpfsm.state.leases import acquire

BRIEF = """\
version: 1
name: brief
pool: {instance_type: ml.g6e.2xlarge, keep_alive: 10m, price_per_hour: 2.80}
job: {source: src, entry: train.py, max_runtime: 45m, hyperparameters: {epochs: 3}}
strategy: {type: sweep, method: grid, parameters: {lr: [1, 2, 3, 4, 5, 6, 7]}}
forecast: {cold_start: 300s, warm_start: 0s, train: 120s, gap: 90s, bill_provisioning: true}
"""


@dataclass(frozen=True)
class Ran:
    """What the program left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs; no endpoint is named here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WPFSM_DB", str(tmp_path / "wpfsm.db"))
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print('loss=0.5')\n")
    return tmp_path


def wpfsm(*words: str) -> Ran:
    result = CliRunner().invoke(cli, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


ON_AWS = (
    "--backend",
    "aws",
    "--set",
    "pool.role=arn:aws:iam::123456789012:role/Train",
    "--set",
    "job.image=image",
)
"""With the caller's own credentials, as against AWS; the local backend has fixed ones."""


def written(folder: Path, text: str = BRIEF) -> str:
    file = folder / "loop.yaml"
    file.write_text(text)
    return str(file)


# --- plan -----------------------------------------------------------------------------------------


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


def set_quota(emulator: SageMakerEmulator, name: str, value: int) -> None:
    scope = f"AWS4-HMAC-SHA256 Credential={emulator.account}/20000101/us-east-1/sagemaker/aws4_request"
    ask(emulator.url, "POST", "quotas", {"quota": name, "value": value}, headers={"Authorization": scope})


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
    """With a finished loop of this name its measured starts and gaps replace the assumptions, and advise."""
    world = Watched(loop_file(3))
    world.run()
    file = folder / "story.yaml"
    file.write_text(json.dumps({"version": 1, "name": "story", **loop_file(3)}))
    document = wpfsm("plan", str(file), "--offline", "-o", "json", "--db", str(world.database)).document
    assert document["assumptions"]["measured"] is True
    assert document["assumptions"]["cold_start"] == 120
    assert document["assumptions"]["train"] == 100
    assert document["advice"]["keep_alive_seconds"] == 60
    assert "95 % of 2 gaps" in document["advice"]["why"]


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


# --- doctor ---------------------------------------------------------------------------------------


def verdicts(ran: Ran) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in ran.document["checks"]}


def test_doctor_finds_a_sound_account(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Credentials, permissions, quotas, clock, database and orphans are looked at, and all are well."""
    ran = wpfsm("doctor", "--instance-type", TYPE, "-o", "json")
    assert ran.code == 0
    expected = {"database", "credentials", "clock", "permissions", "orphans", "quota"}
    assert {name: verdict for name, verdict in verdicts(ran).items() if name in expected} == dict.fromkeys(
        expected, "ok"
    )
    assert f"account {sagemaker_emulator.account}" in ran.out


def test_doctor_names_an_empty_quota(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A warm pool quota of 0: exit 3, the consequence and the command."""
    set_quota(sagemaker_emulator, f"{TYPE} for training warm pool usage", 0)
    ran = wpfsm("doctor", "--instance-type", TYPE)
    assert ran.code == 3
    assert "keep-alive would silently do nothing" in ran.out
    assert "aws service-quotas request-service-quota-increase" in ran.out


def test_doctor_shows_every_check_though_one_fails(
    folder: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """A denied listing does not hide the rest; the exit code is that of permissions."""
    sagemaker_emulator.inject(
        {"kind": "error", "operation": "ListTrainingJobs", "code": "AccessDenied", "status": 403}
    )
    ran = wpfsm("doctor", "-o", "json")
    assert ran.code == 4
    assert verdicts(ran)["orphans"] == "fail"
    assert verdicts(ran)["permissions"] == "ok"


def test_doctor_stops_at_expired_credentials(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Without credentials nothing else of the account can be looked at: exit 4."""
    fault = {"kind": "error", "operation": "GetCallerIdentity", "code": "ExpiredToken", "status": 403}
    sagemaker_emulator.inject(fault)
    ran = wpfsm("doctor", "-o", "json")
    assert ran.code == 4
    assert verdicts(ran)["credentials"] == "fail"
    assert "orphans" not in verdicts(ran)
    assert "sign in with `aws sso login`" in next(
        c["fix"] for c in ran.document["checks"] if c["name"] == "credentials"
    )


def test_doctor_without_an_endpoint_checks_this_machine(folder: Path) -> None:
    """No emulator runs and none is asked for: said, and no error."""
    ran = wpfsm("doctor", "--backend", "local", "-o", "json")
    assert ran.code == 0
    assert verdicts(ran)["endpoint"] == "ok"


def test_doctor_sees_a_broken_database(folder: Path) -> None:
    """A file that is no database is named with its path."""
    (folder / "wpfsm.db").write_bytes(b"no database" * 100)
    ran = wpfsm("doctor", "--backend", "local", "-o", "json")
    assert ran.code == 75
    assert verdicts(ran)["database"] == "fail"


def test_doctor_counts_what_is_held(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A quota that somebody's idle pool fills has no room: exit 3, the holder, and the command that asks for more."""
    set_quota(sagemaker_emulator, f"{TYPE} for training warm pool usage", 2)
    make_pool(sagemaker_emulator, "theirs")
    ran = wpfsm("doctor", "--instance-type", TYPE)
    assert ran.code == 3
    assert f"'{TYPE} for training job usage' is 100: 2 held, 98 free, 1 needed" in ran.out
    assert f"'{TYPE} for training warm pool usage' is 2: 2 held, 0 free, 1 needed" in ran.out
    assert "2 x idle pool of theirs" in ran.out
    assert "--desired-value 3" in ran.out


# --- pools ----------------------------------------------------------------------------------------


def make_pool(emulator: SageMakerEmulator, name: str, does: str = "true", **changes: Any) -> None:
    """A finished job that leaves a pool, or with ``sleep`` one that runs on."""
    emulator.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/Train",
        AlgorithmSpecification={
            "TrainingImage": "image", "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c"], "ContainerArguments": [does],
        },
        OutputDataConfig={"S3OutputPath": f"s3://{emulator.bucket}/out"},
        ResourceConfig={"InstanceType": TYPE, "InstanceCount": 2, "VolumeSizeInGB": 10,
                        "KeepAlivePeriodInSeconds": 600},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        **changes,
    )  # fmt: skip
    wanted = "Available" if does == "true" else "InUse"
    deadline = time.monotonic() + 30
    while pool_of(emulator, name) != wanted:
        assert time.monotonic() < deadline


def pool_of(emulator: SageMakerEmulator, name: str) -> str | None:
    answer = emulator.sagemaker.describe_training_job(TrainingJobName=name)
    status: str | None = answer.get("WarmPoolStatus", {}).get("Status")
    return status


def test_pools_without_any(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """An account without pools burns nothing, and needs no database."""
    ran = wpfsm("pools", "-o", "json")
    assert ran.code == 0
    assert ran.document["pools"] == []
    assert ran.document["idle_burn_usd_per_hour"] == 0
    assert wpfsm("pools").out == "no warm pool here\n"


def test_pools_say_who_holds_what_and_what_it_burns(
    folder: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """A stranger's pool, one of a loop that this database does not know, one of a live loop: told apart, priced."""
    make_pool(sagemaker_emulator, "theirs")
    make_pool(sagemaker_emulator, "elsewhere-1a2b3c-001", EnableNetworkIsolation=True,
              Tags=[{"Key": LOOP_TAG, "Value": "elsewhere-1a2b3c"}])  # fmt: skip
    ran = wpfsm("pools", "-o", "json")
    assert ran.code == 0
    rows = {row["job"]: row for row in ran.document["pools"]}
    assert {job: row["holder"] for job, row in rows.items()} == {
        "theirs": "stranger",
        "elsewhere-1a2b3c-001": "unknown",
    }
    price = rows["theirs"]["burn_usd_per_hour"] / 2
    assert price > 0
    assert ran.document["idle_burn_usd_per_hour"] == pytest.approx(4 * price)
    assert rows["theirs"]["instance_count"] == 2
    assert rows["theirs"]["expires_at"] is not None
    page = wpfsm("pools").out
    assert f"2 x {TYPE}" in page
    assert "elsewhere-1a2b3c" in page
    assert f"idle pools burn ${4 * price:.2f}/h" in page
    orphans = wpfsm("doctor", "-o", "json")
    assert verdicts(orphans)["orphans"] == "warn"
    assert "elsewhere-1a2b3c-001" in orphans.out


def test_pools_tell_live_loops_from_dead_ones(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A pool in use by a loop whose controller holds its lock is live; without the lock it is dead."""
    world = Watched()
    with (
        contextlib.closing(create_or_open(folder / "wpfsm.db")) as connection,
        contextlib.closing(world.connect()) as other,
    ):
        row = other.execute("select * from loops").fetchone()
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert into loops values ({marks})", tuple(row))
        connection.commit()
    make_pool(sagemaker_emulator, "story-001", does="sleep 60", Tags=[{"Key": LOOP_TAG, "Value": "story"}])
    locks = siblings(folder / "wpfsm.db", "locks")
    lease = acquire(locks, "loop-story", what="loop story", holder="story")
    (live,) = wpfsm("pools", "-o", "json").document["pools"]
    lease.release()
    (dead,) = wpfsm("pools", "-o", "json").document["pools"]
    assert (live["status"], live["holder"], dead["holder"]) == ("InUse", "live", "dead")
    assert live["idle_seconds"] is None
    sagemaker_emulator.sagemaker.stop_training_job(TrainingJobName="story-001")


# --- what it takes --------------------------------------------------------------------------------

CHECKS = """\
import sys
from wpfsm.cli import cli
codes = []
for words in (["plan", sys.argv[1]], ["doctor", "--instance-type", "ml.g5.xlarge"], ["pools"]):
    try:
        cli.main(words)
    except SystemExit as end:
        codes.append(end.code)
assert codes == [0, 0, 0], codes
assert "boto3" in sys.modules
assert "sagemaker" not in sys.modules
"""


def test_no_check_imports_the_sdk(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """plan, doctor and pools read the account in a process that never imports the SageMaker SDK."""
    done = subprocess.run(
        [sys.executable, "-c", CHECKS, written(folder)], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
