"""Made-up jobs: they take the time, print the lines and end the way a table says."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.scripted import Script


def play(stage: Stage, script: Script) -> Any:
    """Begin one job that does this, on a clock that stands still; returns its client."""
    stage.show(script=lambda _: script)
    sagemaker = stage.client("sagemaker")
    sagemaker.create_training_job(**training_job("j", keep_alive=None))
    return sagemaker


def described(stage: Stage, sagemaker: Any, after: float) -> Any:
    assert stage.emulator is not None
    stage.emulator.advance(after)
    return sagemaker.describe_training_job(TrainingJobName="j")


def logged(stage: Stage) -> list[str]:
    answer = stage.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs")
    return [event["message"] for event in answer["events"]]


def test_a_job_takes_its_time(stage: Stage) -> None:
    """It is still training a moment before, and has trained for exactly so long after."""
    sagemaker = play(stage, Script(seconds=1000))
    assert described(stage, sagemaker, 999)["TrainingJobStatus"] == "InProgress"
    done = described(stage, sagemaker, 1000)
    assert done["TrainingJobStatus"] == "Completed"
    assert (done["TrainingEndTime"] - done["TrainingStartTime"]).total_seconds() >= 1000


def test_lines_come_spread_over_its_time(stage: Stage) -> None:
    """Half of them by half of the time, all of them in the end, in order."""
    sagemaker = play(stage, Script(seconds=2000, lines=["1", "2", "3", "4"]))
    described(stage, sagemaker, 1300)
    assert logged(stage) == ["1", "2"]
    described(stage, sagemaker, 2000)
    assert logged(stage) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(exit_code=3), "AlgorithmError"),
        (Script(exit_code=1, failure="out of luck"), "out of luck"),
        (Script(refused="ClientError: no such image"), "ClientError: no such image"),
    ],
)
def test_a_failure_has_the_words_of_the_table(stage: Stage, script: Script, reason: str) -> None:
    """An exit code, what the script wrote of its failure, and a failure before the container."""
    failed = described(stage, play(stage, script), 5000)
    assert failed["TrainingJobStatus"] == "Failed"
    assert reason in failed["FailureReason"]


def test_what_a_signal_cut_off_is_never_printed(stage: Stage) -> None:
    """A job that was stopped ends at once, with the lines that it had printed."""
    sagemaker = play(stage, Script(seconds=2000, lines=["1", "2", "3", "4"]))
    described(stage, sagemaker, 800)
    sagemaker.stop_training_job(TrainingJobName="j")
    assert described(stage, sagemaker, 20_000)["TrainingJobStatus"] == "Stopped"
    assert logged(stage) == ["1"]
