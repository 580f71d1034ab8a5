"""The rehearsal of a loop file, and what of its failure only the image could show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.source_checks.image_modules import image_of
from wpfsm.fsm.source_checks.rehearsal import LONGEST, rehearsal_of, untested

PYTORCH = image_of(
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311", local=False
)
UNKNOWN = image_of("team/train:7", local=False)
ROLE = "arn:aws:iam::123456789012:role/Train"


def loop_file(**job: Any) -> LoopFile:
    """A sweep on the service."""
    whole = {"image": "team/train:7", "source": "src", "entry": "train.py", "max_runtime": "2h", **job}
    return LoopFile.model_validate({
        "version": 1, "name": "a-name-that-is-as-long-as-it-may", "backend": "aws", "region": "us-east-1",
        "pool": {"instance_type": "ml.g5.xlarge", "instance_count": 4, "keep_alive": "30m", "role": ROLE}, "job": whole,
        "metric": {"name": "loss", "goal": "minimize", "regex": "loss=(.*)"},
        "strategy": {"type": "sweep", "parameters": {"lr": [0.1, 0.2]}},
        "on_failure": [{"when": "any", "do": "handoff"}],
    })  # fmt: skip


def test_a_rehearsal_is_the_first_trial_here() -> None:
    """One instance, no role, the data that was given, the trial's values over the loop file's."""
    rehearsal = rehearsal_of(loop_file(hyperparameters={"lr": 0.5, "epochs": 3}), {"train": "data"})

    assert rehearsal.backend == "local"
    assert (rehearsal.pool.instance_count, rehearsal.pool.role) == (1, None)
    assert dict(rehearsal.job.hyperparameters) == {"lr": 0.1, "epochs": 3}
    assert dict(rehearsal.job.inputs) == {"train": "data"}
    assert len(rehearsal.name) <= 33
    assert rehearsal.name.endswith("-rehearsal")


@pytest.mark.parametrize(("asked", "seconds"), [("2h", LONGEST), ("5m", 300)])
def test_a_rehearsal_is_short(asked: str, seconds: float) -> None:
    """Never longer than the loop file allows."""
    assert rehearsal_of(loop_file(max_runtime=asked), {}).job.max_runtime == seconds


def test_a_rehearsal_is_patched_by_the_same_rules() -> None:
    """And measured by the same metric."""
    file = loop_file()
    rehearsal = rehearsal_of(file, {})

    assert rehearsal.on_failure == file.on_failure
    assert rehearsal.metric == file.metric


def test_a_module_that_the_image_brings_is_untested() -> None:
    """Whether an unknown image brings it is not known; what the image lacks would fail there, too."""
    missing = explain("", "ModuleNotFoundError: No module named 'torch'")

    assert "comes with the image" in str(untested(missing, PYTORCH, loop_file(), ()))
    assert "not known" in str(untested(missing, UNKNOWN, loop_file(), ()))
    other = explain("", "ModuleNotFoundError: No module named 'evaluate'")
    assert untested(other, PYTORCH, loop_file(), ()) is None


@pytest.mark.parametrize(
    "log",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "OSError: [Errno 28] No space left on device",
        "AssertionError: Torch not compiled with CUDA enabled",
    ],
)
def test_a_failure_of_this_machine_says_nothing_about_the_image(log: str) -> None:
    """Memory, disk, and a GPU that is not here."""
    assert untested(explain("", log), PYTORCH, loop_file(), ())


def test_a_bug_of_the_script_would_fail_there_too() -> None:
    """That is what a rehearsal is for; data that is not here excuses only what asks for data."""
    bug = explain(
        "", 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nKeyError: 1'
    )
    data = replace(bug, class_="data")

    assert untested(bug, PYTORCH, loop_file(), ()) is None
    assert untested(data, PYTORCH, loop_file(), ()) is None
    assert "train" in str(untested(data, PYTORCH, loop_file(inputs={"train": "s3://bucket/data"}), ()))
    given = loop_file(inputs={"train": "s3://bucket/data"})
    assert untested(data, PYTORCH, given, ("train",)) is None, "it was given, and does not fit"
