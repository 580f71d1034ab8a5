"""What happens to a job from its creation to its end when its machines fail it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.engine.clock import ManualClock
from wpfsm.adapters.emulator.inprocess import Emulator


def client(emulator: Emulator) -> Any:
    return emulator.session().client("sagemaker")


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


def inject(stage: Stage, *faults: dict[str, Any]) -> Emulator:
    assert stage.emulator is not None
    stage.emulator.inject(*faults)
    return stage.emulator


def test_internal_error_strikes_a_running_job_and_takes_its_cluster(stage: Stage, sagemaker: Any) -> None:
    """The job fails so many seconds into its run with the service's words, and no pool is left."""
    emulator = inject(stage, {"kind": "internal_error", "job": "j*", "seconds": 20})
    sagemaker.create_training_job(**training_job("j1"))
    emulator.advance(2 + 19)
    assert emulator.jobs()[0].secondary == "Training"
    emulator.advance(2)
    answer = sagemaker.describe_training_job(TrainingJobName="j1")
    assert answer["FailureReason"] == (
        "InternalServerError: We encountered an internal error.  Please try again."
    )
    assert "WarmPoolStatus" not in answer


def test_a_retry_strategy_starts_over_after_an_internal_error(stage: Stage, sagemaker: Any) -> None:
    """RetryStrategy restarts the job on new instances: Starting again, and Completed in the end."""
    emulator = inject(stage, {"kind": "internal_error", "seconds": 10})
    sagemaker.create_training_job(**training_job("j", RetryStrategy={"MaximumRetryAttempts": 1}))
    emulator.advance(200)
    answer = sagemaker.describe_training_job(TrainingJobName="j")
    statuses = [t["Status"] for t in answer["SecondaryStatusTransitions"]]
    assert answer["TrainingJobStatus"] == "Completed"
    assert statuses.count("Starting") == statuses.count("Training") == 2


def test_max_runtime_covers_all_attempts(stage: Stage, sagemaker: Any) -> None:
    """The time of the attempt that was lost counts towards MaxRuntimeInSeconds."""
    emulator = inject(stage, {"kind": "internal_error", "seconds": 30})
    limit = {"stopping": {"MaxRuntimeInSeconds": 80}}
    sagemaker.create_training_job(**training_job("j", RetryStrategy={"MaximumRetryAttempts": 1}, **limit))
    emulator.advance(200)
    answer = sagemaker.describe_training_job(TrainingJobName="j")
    assert answer["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert answer["TrainingTimeInSeconds"] == 80


def test_capacity_error_fails_before_the_launch(stage: Stage, sagemaker: Any) -> None:
    """Without capacity a job fails in Starting, never trained, and has no pool."""
    emulator = inject(stage, {"kind": "capacity_error"})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(100)
    answer = sagemaker.describe_training_job(TrainingJobName="j")
    assert answer["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute")
    assert "TrainingStartTime" not in answer
    assert "WarmPoolStatus" not in answer


def test_slow_start_says_why(stage: Stage, sagemaker: Any) -> None:
    """A slow start stays in Starting for so much longer, with the service's message."""
    emulator = inject(stage, {"kind": "slow_start", "seconds": 300})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(301)
    (transition,) = sagemaker.describe_training_job(TrainingJobName="j")["SecondaryStatusTransitions"]
    assert transition["StatusMessage"].startswith("Insufficient capacity error")
    emulator.advance(2)
    assert emulator.jobs()[0].secondary == "Training"
