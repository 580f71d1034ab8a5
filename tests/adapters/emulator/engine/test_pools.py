"""Warm pools: struck, taken, not kept, expired while nobody is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from emulator_requests import admin, training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.engine.clock import ManualClock
from wpfsm.adapters.emulator.inprocess import Emulator


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


def inject(stage: Stage, *faults: dict[str, Any]) -> Emulator:
    assert stage.emulator is not None
    stage.emulator.inject(*faults)
    return stage.emulator


def test_internal_error_on_a_reused_pool_terminates_it(stage: Stage, sagemaker: Any) -> None:
    """A pool under a job that fails for the cluster's sake is Terminated, and its retained time is final."""
    emulator = inject(stage, {"kind": "internal_error", "job": "k"})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(100)
    sagemaker.create_training_job(**training_job("k"))
    emulator.advance(100)
    answer = sagemaker.describe_training_job(TrainingJobName="k")
    assert answer["WarmPoolStatus"]["Status"] == "Terminated"


@pytest.mark.parametrize("kind", ["patch_update", "stolen_pool"])
def test_pool_events_strike_after_available(stage: Stage, sagemaker: Any, kind: str) -> None:
    """A pool is patched away, or taken by somebody else's job, so many seconds after it became Available."""
    emulator = inject(stage, {"kind": kind, "seconds": 30})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(2 + 60 + 29)
    assert emulator.pools()[0].status == "Available"
    emulator.advance(2)
    pool = sagemaker.describe_training_job(TrainingJobName="j")["WarmPoolStatus"]
    assert pool["ResourceRetainedBillableTimeInSeconds"] == 30
    if kind == "patch_update":
        assert pool["Status"] == "Terminated"
    else:
        thief = sagemaker.describe_training_job(TrainingJobName=pool["ReusedByJob"])
        assert (pool["Status"], thief["TrainingJobStatus"]) == ("Reused", "InProgress")


def test_pool_events_on_demand(stage: Stage, sagemaker: Any) -> None:
    """POST /_wpfsm/pools/<job> strikes the pool of one job now; without a pool it is refused."""
    emulator = stage.show()
    for name, event in (("j", "patch_update"), ("k", "steal")):
        assert admin(emulator, "POST", f"pools/{name}", {"event": event})[0] == 400
        sagemaker.create_training_job(**training_job(name))
        emulator.advance(100)
        assert admin(emulator, "POST", f"pools/{name}", {"event": event})[0] == 200
    assert [job.pool_status for job in emulator.jobs()] == ["Terminated", "Reused", "InUse"]
    emulator.advance(1000)
    assert [pool.status for pool in emulator.pools()] == ["Terminated", "Terminated"]
    assert admin(emulator, "POST", "pools/j", {"event": "flood"})[0] == 400


def test_a_pool_that_fails_to_be_kept_is_terminated(stage: Stage, sagemaker: Any) -> None:
    """When provisioning the pool fails, the job is fine and its pool Terminated."""
    emulator = inject(stage, {"kind": "pool_failed"})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(100)
    answer = sagemaker.describe_training_job(TrainingJobName="j")
    assert (answer["TrainingJobStatus"], answer["WarmPoolStatus"]["Status"]) == ("Completed", "Terminated")


def test_warm_pool_status_is_absent_for_a_while(stage: Stage, sagemaker: Any) -> None:
    """Describe and List omit the member for so many seconds after the end; the pool is there all the time."""
    emulator = inject(stage, {"kind": "absent_pool_status", "seconds": 30})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(2 + 60 + 29)
    assert "WarmPoolStatus" not in sagemaker.describe_training_job(TrainingJobName="j")
    assert not sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    emulator.advance(2)
    assert sagemaker.describe_training_job(TrainingJobName="j")["WarmPoolStatus"]["Status"] == "Available"
