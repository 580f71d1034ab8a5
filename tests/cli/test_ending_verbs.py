"""``stop``, ``release``, ``gc``, ``pools``, ``plan`` and ``doctor``: what ends a bill, and what looks before one begins."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, NO_ROOM, OK, SLOW, Bench, wait_for
from click.testing import CliRunner

from wpfsm.adapters import account
from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.cli import cli
from wpfsm.fsm.polling import LOOPBACK
from wpfsm.fsm.records import Owner
from wpfsm.state.database import open_existing, siblings
from wpfsm.state.history import History
from wpfsm.state.leases import acquire
from wpfsm.state.store import take_over


def killed(bench: Bench, name: str) -> Any:
    """A loop whose controller was killed while its job ran; returns its document."""
    process = bench.begin("start", bench.loop(name, SLOW))
    bench.wait_running(name)
    process.kill()
    process.wait()
    return bench.document(name)


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
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert bench.run("stop", "stopped").code == 0, "a closed loop is stopped already"


def test_stop_without_a_controller_releases_by_itself(bench: Bench):
    """Nobody is there to be asked, so it is done here."""
    killed(bench, "deserted")
    ran = bench.run("stop", "deserted", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["pool"]["released"] is True


def test_stop_asks_anew_when_its_word_was_lost(bench: Bench):
    """A controller that was only just taking over forgets what its predecessor was asked: it is asked too."""
    loop = killed(bench, "forgetful")["loop"]["id"]
    locks = siblings(bench.database, "locks")
    lease = acquire(locks, f"loop-{loop}", what=f"loop {loop}", holder=loop)
    with contextlib.closing(open_existing(bench.database, write=True)) as connection:
        stopping = bench.begin("stop", loop)
        history = History(connection)
        wait_for(lambda: history.stop_requested(loop) or None)
        take_over(connection, bench.database, loop, Owner(socket.gethostname(), os.getpid(), 0.0, 0.0))
        wait_for(lambda: history.stop_requested(loop) or None)
    lease.release()
    out, err = stopping.communicate(timeout=60)
    assert stopping.returncode == 0, err
    assert "released (read back" in out


def test_stop_takes_over_from_a_controller_that_dies_releasing(bench: Bench):
    """Who asked for the release is not left with half of one: it is done here, and its receipt is shown."""
    process = bench.begin("start", bench.loop("half-way", SLOW))
    bench.wait_running("half-way")
    bench.fault(kind="error_5xx", operation="UpdateTrainingJob", job="half-way-*", times=8)
    stopping = bench.begin("stop", "half-way", "-o", "json")
    wait_for(lambda: bench.document("half-way")["loop"]["state"] in ("Releasing", "Closed") or None)
    process.kill()
    out, err = stopping.communicate(timeout=60)
    assert stopping.returncode == 0, err
    assert json.loads(out)["pool"]["released"] is True


def test_stop_of_a_suspended_controller_does_not_say_that_it_releases(bench: Bench):
    """The time is up and nobody has answered: that is said, and the request stays for when it wakes up."""
    process = bench.begin("start", bench.loop("asleep", SLOW))
    bench.wait_running("asleep")
    with until_suspended(bench, process):
        ran = bench.run("stop", "asleep", "--timeout", "0s")
    assert ran.code == 11
    assert "has not answered yet" in ran.err
    process.communicate(timeout=60)
    assert bench.document("asleep")["loop"]["outcome"] == "stopped"


@contextlib.contextmanager
def until_suspended(bench: Bench, process: subprocess.Popen[str]) -> Iterator[None]:
    """Suspend a controller at a moment when it does not hold the database."""
    while True:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        try:
            with contextlib.closing(sqlite3.connect(bench.database, isolation_level=None)) as connection:
                connection.execute("begin immediate")
                connection.execute("rollback")
            break
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
    yield
    process.send_signal(signal.SIGCONT)


# --- release --------------------------------------------------------------------------------------


def stranger(bench: Bench, name: str) -> Any:
    """A job of somebody who does not use wpfsm; returns the client that made it."""
    client = Clients(Target("us-east-1", bench.url, local=True)).sagemaker
    client.create_training_job(
        TrainingJobName=name, RoleArn="arn:aws:iam::123456789012:role/Theirs",
        AlgorithmSpecification={"TrainingImage": "theirs", "TrainingInputMode": "File",
                                "ContainerEntrypoint": ["sleep"], "ContainerArguments": ["60"]},
        OutputDataConfig={"S3OutputPath": "s3://theirs/out"}, StoppingCondition={"MaxRuntimeInSeconds": 3600},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30,
                        "KeepAlivePeriodInSeconds": 600},
    )  # fmt: skip
    return client


def test_release_leaves_a_strangers_job_alone(bench: Bench):
    """A name that somebody else's job has, typed by mistake, does not stop that job."""
    client = stranger(bench, "their-training")
    ran = bench.run("release", "--job", "their-training")
    assert ran.code == 3
    assert "somebody else's" in ran.err
    assert client.describe_training_job(TrainingJobName="their-training")["TrainingJobStatus"] == "InProgress"
    client.stop_training_job(TrainingJobName="their-training")


@pytest.mark.parametrize("words", [["release", "--job"], ["gc", "--apply", "--older-than", "0s"]])
def test_a_release_by_name_that_is_not_confirmed(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    """Exit code 30, and the command that tries again, without a database too."""
    name = f"unsure-{words[0]}"
    assert bench.run("start", bench.loop(name, BROKEN)).code == 10
    job = bench.document(name)["jobs"][0]["name"]
    bench.fault(kind="error_5xx", operation="UpdateTrainingJob", job=job, times=3)
    monkeypatch.setattr(account, "LOOPBACK", dataclasses.replace(LOOPBACK, release=0.01))
    given = ["--job", job] if words[0] == "release" else words[1:]
    ran = CliRunner().invoke(
        cli,
        [
            words[0],
            *given,
            "--db",
            str(tmp_path / "none.db"),
            "--endpoint-url",
            bench.url,
            "--backend",
            "local",
        ],
    )
    assert ran.exit_code == 30, ran.output
    assert f"fix: wpfsm release --job {job}" in ran.output
    assert bench.run("release", name).code == 0


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
    job = killed(bench, "orphaned")["jobs"][0]["name"]
    looked = bench.run("gc", "-o", "json")
    assert looked.code == 0
    assert [loop["owed"] for loop in looked.json["loops"]] == [[job]]
    assert bench.document("orphaned")["loop"]["state"] == "Running", "looking changes nothing"
    assert bench.run("gc", "--apply").code == 0
    document = bench.document("orphaned")
    assert document["loop"]["state"] == "Closed"
    assert document["pool"]["released"] is True
    assert "nothing to collect" in bench.run("gc").out


def test_gc_goes_on_after_a_loop_that_it_cannot_close(bench: Bench):
    """A loop that cannot be taken up keeps no other one billing; its pool's command is in the output."""
    good = killed(bench, "one-of-two")["loop"]["id"]
    bad = killed(bench, "other-of-two")["loop"]["id"]
    with contextlib.closing(sqlite3.connect(bench.database)) as connection, connection:
        whole = connection.execute("select loop_file from loops where id = ?", (bad,)).fetchone()
        connection.execute("update loops set loop_file = '{\"version\": 1}' where id = ?", (bad,))
    ran = bench.run("gc", "--apply")
    assert ran.code == 30
    assert f"fix: wpfsm release {bad}" in ran.err
    assert f"loop {good}: Closed, abandoned" in ran.out
    assert bench.document(good)["pool"]["released"] is True
    with contextlib.closing(sqlite3.connect(bench.database)) as connection, connection:
        connection.execute("update loops set loop_file = ? where id = ?", (*whole, bad))
    assert bench.run("release", bad).code == 0


def test_a_live_loop_is_live_whatever_becomes_of_its_database(bench: Bench):
    """The lock tells who lives; a database that is lost must not make a live loop's pool an orphan."""
    bench.begin("start", bench.loop("lost-rows", SLOW))
    job = bench.wait_running("lost-rows")["jobs"][0]["name"]
    other = bench.folder / "other.db"
    siblings(other, "locks").parent.symlink_to(siblings(bench.database, "locks").parent)
    found = bench.run("pools", "--db", other, "-o", "json").json["pools"]
    assert [pool["holder"] for pool in found if pool["job"] == job] == ["live"]
    assert bench.run("stop", "lost-rows").code == 0


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
