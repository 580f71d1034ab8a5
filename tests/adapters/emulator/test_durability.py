"""An emulator that is killed and started again still knows its jobs, pools, tags, quotas and logs."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from emulator_process import emulator_process, until
from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.engine.clock import ManualClock
from wpfsm.adapters.emulator.engine.records import Job, Pool, dump, load_job, load_pool
from wpfsm.adapters.emulator.engine.store import SCHEMA_VERSION
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

INTERNAL = "InternalServerError: We encountered an internal error.  Please try again."


def entry(command: str) -> dict[str, object]:
    return {"algorithm": {"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [command]}}


def test_a_killed_emulator_remembers(tmp_path: Path) -> None:
    """After SIGKILL and restart: the finished job and its pool are as they were; the running one has failed."""
    quick = ("--cold-start", "0", "--warm-start", "0")
    other = {"resources": {"VolumeSizeInGB": 20}}
    with emulator_process(tmp_path, *quick) as process:
        sagemaker = process.client("sagemaker")
        tags = [{"Key": "loop", "Value": "x"}]
        sagemaker.create_training_job(**training_job("done", Tags=tags, **entry("echo hello")))
        before = until(
            lambda answer: answer.get("WarmPoolStatus", {}).get("Status") == "Available",
            lambda: sagemaker.describe_training_job(TrainingJobName="done"),
        )
        sagemaker.create_training_job(**training_job("lost", **other, **entry("sleep 1000")))
        until(
            lambda answer: answer["SecondaryStatus"] == "Training",
            lambda: sagemaker.describe_training_job(TrainingJobName="lost"),
        )
        process.kill()
    with emulator_process(tmp_path, *quick) as process:
        sagemaker = process.client("sagemaker")
        after = sagemaker.describe_training_job(TrainingJobName="done")
        for answer in (before, after):
            del answer["ResponseMetadata"], answer["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"]
        assert after == before
        assert sagemaker.list_tags(ResourceArn=after["TrainingJobArn"])["Tags"] == tags
        lost = sagemaker.describe_training_job(TrainingJobName="lost")
        assert (lost["TrainingJobStatus"], lost["FailureReason"]) == ("Failed", INTERNAL)
        assert "WarmPoolStatus" not in lost
        logs = process.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="done/"
        )
        assert [event["message"] for event in logs["events"]] == ["hello"]
        sagemaker.create_training_job(**training_job("next", **entry("true")))
        assert sagemaker.describe_training_job(TrainingJobName="done")["WarmPoolStatus"]["Status"] == "Reused"


def client(emulator: Emulator) -> Any:
    return emulator.session().client("sagemaker")


def test_a_pool_expires_while_nobody_is_there(tmp_path: Path) -> None:
    """Keep-alive goes on counting between two lives of the emulator, and ends at its own moment."""
    clock = ManualClock()
    with Emulator(state=tmp_path, clock=clock) as first:
        client(first).create_training_job(**training_job("j"))
        first.advance(100)
        available = first.pools()[0].available_from
    clock.advance(10_000)
    with Emulator(state=tmp_path, clock=clock) as second:
        (pool,) = second.pools()
        assert available is not None
        assert (pool.history[-1].event, pool.history[-1].time) == ("expired", available + 600)


def test_a_lost_job_with_a_retry_strategy_starts_over(tmp_path: Path) -> None:
    """Losing the machine is an internal error: RetryStrategy applies to it."""
    clock = ManualClock()
    with Emulator(state=tmp_path, clock=clock) as first:
        client(first).create_training_job(**training_job("j", RetryStrategy={"MaximumRetryAttempts": 2}))
        first.advance(2.5)
        assert first.jobs()[0].secondary == "Training"
        crash(first)
    with Emulator(state=tmp_path, clock=clock) as second:
        second.advance(100)
        assert (second.jobs()[0].status, second.jobs()[0].attempt) == ("Completed", 2)


def crash(emulator: Emulator) -> None:
    """Make the end of the emulator like a crash: nothing more is written."""
    emulator.engine.store.db.execute("PRAGMA query_only=1")


def test_a_lost_job_on_a_reused_pool_takes_the_pool_with_it(tmp_path: Path) -> None:
    """The pool under a job that was lost is Terminated, and the job shows it."""
    clock = ManualClock()
    with Emulator(state=tmp_path, clock=clock) as first:
        client(first).create_training_job(**training_job("j"))
        first.advance(100)
        client(first).create_training_job(**training_job("k"))
        first.advance(0.5)
    with Emulator(state=tmp_path, clock=clock) as second:
        _, lost = second.jobs()
        assert (lost.status, lost.pool_status) == ("Failed", "Terminated")
        assert second.pools()[0].status == "Terminated"


def test_records_survive_their_own_serialisation() -> None:
    """A job and a pool with everything set are read back as they were written."""
    script = Script(seconds=5, lines=["m=1.5"])
    metric = {"MetricDefinitions": [{"Name": "m", "Regex": "m=([0-9.]+)"}]}
    with Emulator(runner=ScriptedRunner(lambda _: script)) as emulator:
        emulator.inject({"kind": "stolen_pool", "seconds": 5}, {"kind": "internal_error", "nth": 2})
        for name in ("a", "b"):
            client(emulator).create_training_job(**training_job(name, algorithm=metric))
            emulator.advance(30)
        jobs, pools = emulator.jobs(), emulator.pools()
    for job in jobs:
        assert_same(job, load_job(dump(job), json.dumps(job.request)))
    for pool in pools:
        assert_same(pool, load_pool(dump(pool), pool.history))


def assert_same(one: Job | Pool, other: Job | Pool) -> None:
    assert one == other
    assert {n: type(v) for n, v in vars(one).items()} == {n: type(v) for n, v in vars(other).items()}


def test_a_request_after_the_end_gets_no_answer(stage: Stage, sagemaker: Any) -> None:
    """A client that still holds a connection sees it cut, which it retries, and no refusal that it believes."""
    emulator = stage.show()
    sagemaker.create_training_job(**training_job("j"))
    emulator.close()
    with pytest.raises(ReadTimeoutError):
        sagemaker.describe_training_job(TrainingJobName="j")


def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    """The SQLite file carries the emulator's application id and schema version."""
    with Emulator(state=tmp_path):
        pass
    db = sqlite3.connect(tmp_path / "emulator.db")
    assert db.execute("PRAGMA application_id").fetchone()[0] != 0
    assert db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    db.close()


def test_a_file_of_another_version_is_set_aside(tmp_path: Path) -> None:
    """An emulator whose schema differs starts afresh and keeps the old file under another name."""
    path = tmp_path / "emulator.db"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE jobs (shape TEXT)")
    old.execute("PRAGMA user_version=999")
    old.close()
    with Emulator(state=tmp_path) as emulator:
        assert not emulator.jobs()
    assert (tmp_path / "emulator.db.version-999").exists()


@pytest.mark.parametrize("keep_alive", [None, 600])
def test_job_directories_go_with_the_job(tmp_path: Path, keep_alive: int | None) -> None:
    """A pool's cache directory goes with the pool, a job's directory with the job's end."""
    with Emulator(state=tmp_path, runner=ScriptedRunner(lambda _: Script(seconds=60))) as emulator:
        sagemaker = client(emulator)
        sagemaker.create_training_job(**training_job("j", keep_alive=keep_alive))
        emulator.advance(30)
        assert list((tmp_path / "jobs").rglob("j"))
        emulator.advance(70)
        assert not list((tmp_path / "jobs").rglob("j"))
        assert bool(list(tmp_path.glob("caches/*"))) == (keep_alive is not None)
        emulator.advance(1000)
        assert not list(tmp_path.glob("caches/*"))


def test_what_a_killed_emulator_left_is_removed(tmp_path: Path) -> None:
    """Directories of jobs that it ran and caches of pools that ended; the cache of a kept pool stays."""
    with Emulator(state=tmp_path) as emulator:
        client(emulator).create_training_job(**training_job("kept"))
        emulator.advance(100)
    (kept,) = tmp_path.glob("caches/*")
    (tmp_path / "jobs" / "123456789012" / "us-east-1" / "lost" / "1" / "algo-1").mkdir(parents=True)
    (tmp_path / "caches" / "99").mkdir()
    with Emulator(state=tmp_path, clock=emulator.clock):
        assert not list(tmp_path.rglob("lost"))
        assert list(tmp_path.glob("caches/*")) == [kept]
    assert not list(tmp_path.glob("left-over-*"))
