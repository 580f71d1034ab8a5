"""``stop``, ``release``, ``gc``, ``pools``, ``plan`` and ``doctor``: what ends a bill, and what looks before one begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, NO_ROOM, OK, SLOW, Bench


def pool_of(bench: Bench, job: str) -> Any:
    """The row of `pools` for a job; None when there is none."""
    return next((pool for pool in bench.run("pools", "-o", "json").json["pools"] if pool["job"] == job), None)


# --- stop -----------------------------------------------------------------------------------------


def test_stop_waits_for_the_receipt(bench: Bench):
    """The controller stops its job, releases and closes; `stop` shows that, and the controller exits with 1."""
    process = bench.begin("start", bench.loop("stopped", SLOW))
    bench.wait_running("stopped")
    ran = bench.run("stop", "stopped", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["loop"]["outcome"] == "stopped"
    assert ran.json["pool"]["released"] is True
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert bench.run("stop", "stopped").code == 0, "a closed loop is stopped already"


def test_stop_without_a_controller_releases_by_itself(bench: Bench):
    """Nobody is there to be asked, so it is done here."""
    bench.killed("deserted")
    ran = bench.run("stop", "deserted", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["pool"]["released"] is True


# --- release --------------------------------------------------------------------------------------


def test_release_is_idempotent(bench: Bench):
    """A hand-off is released, and a second time nothing is left to do."""
    assert bench.run("start", bench.loop("let-go", BROKEN)).code == 10
    for _ in range(2):
        ran = bench.run("release", "let-go", "-o", "json")
        assert ran.code == 0, ran.err
        assert ran.json["pool"]["released"] is True


def test_release_of_one_job_needs_no_database(bench: Bench, tmp_path_factory: pytest.TempPathFactory):
    """A pool is released by its job's name, from a machine that never saw the loop."""
    assert bench.run("start", bench.loop("elsewhere", BROKEN)).code == 10
    job = bench.document("elsewhere")["jobs"][0]["name"]
    assert pool_of(bench, job)["holder"] == "handoff"
    other = Bench(tmp_path_factory.mktemp("other"), bench.url)
    ran = other.run("release", "--job", job, "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["released"][0]["job"] == job
    assert not other.database.exists()
    assert pool_of(bench, job) is None


def test_release_takes_a_loop_or_a_job(finished: Bench):
    """Neither and both are bad usage."""
    assert finished.run("release").code == 2
    assert finished.run("release", "sweep", "--job", "x").code == 2


# --- gc, pools ------------------------------------------------------------------------------------


def test_gc_shows_first_and_releases_only_when_told(bench: Bench):
    """A loop whose controller died is listed; --apply stops its job, releases its pool and closes it."""
    job = bench.killed("orphaned")["jobs"][0]["name"]
    looked = bench.run("gc", "-o", "json")
    assert looked.code == 0
    assert [loop["owed"] for loop in looked.json["loops"]] == [[job]]
    assert bench.document("orphaned")["loop"]["state"] == "Running", "looking changes nothing"
    assert bench.run("gc", "--apply").code == 0
    document = bench.document("orphaned")
    assert document["loop"]["state"] == "Closed"
    assert document["pool"]["released"] is True
    assert "orphaned" not in bench.run("gc").out


def test_gc_leaves_a_live_loop_and_a_hand_off_alone(bench: Bench):
    """What somebody drives, or holds for a stated time, is not garbage."""
    assert bench.run("start", bench.loop("handed", BROKEN)).code == 10
    bench.begin("start", bench.loop("alive", SLOW))
    bench.wait_running("alive")
    ran = bench.run("gc", "--apply", "-o", "json")
    assert ran.code == 0
    assert ran.json["loops"] == []
    assert bench.document("handed")["handoff"] is not None
    assert bench.document("alive")["loop"]["state"] == "Running"
    for name in ("handed", "alive"):
        assert bench.run("stop", name).code == 0


def test_pools_shows_who_holds_what_and_its_burn(bench: Bench):
    """Each pool with its instances, its loop and what it costs an hour while idle."""
    assert bench.run("start", bench.loop("shown", BROKEN)).code == 10
    document = bench.document("shown")
    row = pool_of(bench, document["jobs"][0]["name"])
    assert row["loop"] == document["loop"]["id"]
    assert row["burn_usd_per_hour"] == pytest.approx(0.115)
    assert document["loop"]["id"] in bench.run("pools").out
    assert bench.run("release", "shown").code == 0


@pytest.mark.parametrize("words", [["stop", "broken", "--timeout", "soon"], ["gc", "--older-than", "ages"]])
def test_a_duration_that_is_none(finished: Bench, words: list[str]):
    """The option is named, with how to write it."""
    ran = finished.run(*words)
    assert ran.code == 2, ran.err
    assert "write 90s, 10m or 1h" in ran.err


# --- plan, doctor ---------------------------------------------------------------------------------


def written(bench: Bench) -> set[Path]:
    """Every path in the bench's folder."""
    return set(bench.folder.rglob("*"))


@pytest.mark.parametrize("offline", [[], ["--offline"]])
def test_plan_writes_nothing(bench: Bench, offline: list[str]):
    """Trials, lock, forecast and the worst case, without a database, a folder or a job."""
    file = bench.loop("planned", OK)
    before = written(bench)
    ran = bench.run("plan", file, *offline, "-o", "json")
    assert ran.code == 0, ran.err
    assert [trial["params"] for trial in ran.json["trials"]] == [{"lr": 0.001}, {"lr": 0.01}]
    forecast = ran.json["forecast"]
    assert set(forecast) == {"warm", "cold", "speedup", "cost_saving"}
    assert set(forecast["warm"]) == {"wall_seconds", "cost_usd"}
    assert forecast["cold"]["wall_seconds"] > forecast["warm"]["wall_seconds"]
    assert ran.json["worst_case"]
    assert written(bench) == before


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


def test_doctor_checks_and_writes_nothing(bench: Bench):
    """Every check has a name and a verdict."""
    before = written(bench)
    ran = bench.run("doctor", "--instance-type", "ml.m5.large", "-o", "json")
    assert ran.code == 0, ran.err
    assert written(bench) == before
    assert bench.run("doctor", "--instance-type", "ml.m5.large").out


def test_resume_without_an_id_lists_what_can_be_resumed(finished: Bench):
    """Closed loops are not among them."""
    loops = finished.run("resume", "-o", "json").json["loops"]
    assert [loop["name"] for loop in loops] == ["broken"]
