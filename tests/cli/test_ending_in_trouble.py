"""``stop``, ``release`` and ``gc`` when something stands in the way: each says so, and nothing keeps billing unsaid."""

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
from cli_bench import BROKEN, SLOW, Bench, wait_for
from click.testing import CliRunner

from wpfsm.adapters.aws import account
from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.cli import cli
from wpfsm.fsm.gateway import LOOPBACK
from wpfsm.fsm.records import Owner, State
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.leases import acquire
from wpfsm.state.paths import siblings
from wpfsm.state.store import take_over


def test_stop_asks_anew_when_its_word_was_lost(bench: Bench):
    """A controller that was only just taking over forgets what its predecessor was asked: it is asked too."""
    loop = bench.killed("forgetful")["loop"]["id"]
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
    bench.wait_until("half-way", lambda loop, _: loop.state in (State.RELEASING, State.CLOSED))
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


def test_gc_goes_on_after_a_loop_that_it_cannot_close(bench: Bench):
    """A loop that cannot be taken up keeps no other one billing; its pool's command is in the output."""
    good = bench.killed("one-of-two")["loop"]["id"]
    bad = bench.killed("other-of-two")["loop"]["id"]
    with contextlib.closing(sqlite3.connect(bench.database)) as connection, connection:
        whole = connection.execute("select loop_file from loops where id = ?", (bad,)).fetchone()
        connection.execute("update loops set loop_file = '{\"version\": 1}' where id = ?", (bad,))
    ran = bench.run("gc", "--apply")
    assert ran.code == 30
    assert f"fix: wpfsm release {bad}" in ran.err
    assert f"released by their tags: {bad}-001" in ran.err
    assert f"loop {good}: Closed, abandoned" in ran.out
    assert bench.document(good)["pool"]["released"] is True
    with contextlib.closing(sqlite3.connect(bench.database)) as connection, connection:
        connection.execute("update loops set loop_file = ? where id = ?", (*whole, bad))
    assert bench.run("release", bad).code == 0


def test_gc_goes_on_after_a_pool_that_it_may_not_release(bench: Bench):
    """Without a database: one refusal is exit code 30, and the other pools are released all the same."""
    assert bench.run("start", bench.loop("allowed", BROKEN)).code == 10
    assert bench.run("start", bench.loop("forbidden", BROKEN)).code == 10
    allowed, forbidden = (bench.document(name)["jobs"][0]["name"] for name in ("allowed", "forbidden"))
    bench.fault(
        kind="error", operation="UpdateTrainingJob", job=forbidden, code="AccessDeniedException", times=1
    )
    ran = bench.run(
        "gc",
        "--apply",
        "--older-than",
        "0s",
        "--backend",
        "local",
        "--db",
        bench.folder / "none.db",
        "-o",
        "json",
    )
    assert ran.code == 30, ran.err
    outcomes = {row["job"]: row["outcome"] for row in ran.json["released"]}
    assert (outcomes[forbidden], outcomes[allowed]) == ("unconfirmed", "released")
    assert f"wpfsm release --job {forbidden}" in ran.err
    assert bench.run("release", "forbidden").code == 0


def test_a_live_loop_is_live_whatever_becomes_of_its_database(bench: Bench):
    """The lock tells who lives; a database that is lost must not make a live loop's pool an orphan."""
    bench.begin("start", bench.loop("lost-rows", SLOW))
    bench.wait_running("lost-rows")
    job = bench.document("lost-rows")["jobs"][0]["name"]
    other = bench.folder / "other.db"
    siblings(other, "locks").parent.symlink_to(siblings(bench.database, "locks").parent)
    found = bench.run("pools", "--db", other, "-o", "json").json["pools"]
    assert [pool["holder"] for pool in found if pool["job"] == job] == ["live"]
    assert bench.run("stop", "lost-rows").code == 0
