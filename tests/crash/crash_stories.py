"""The loops that are killed at every boundary: together they reach every boundary that there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from crash_world import Story, loop_text

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Proposal

POOL = {"instance_type": "ml.g5.xlarge", "keep_alive": "10m"}
JOB = {"source": "src/", "entry": "train.py", "requirements": "requirements.txt", "max_runtime": "30m"}
METRIC = {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"}


def grid(*rates: float) -> dict[str, object]:
    """A sweep over learning rates."""
    return {"type": "sweep", "method": "grid", "parameters": {"lr": list(rates)}}


def _members(launch: Launch, name: str) -> Mapping[str, str]:
    return cast("Mapping[str, str]", launch.request.get(name) or {})


def learns(launch: Launch) -> Script:
    """A job that imports numpy, fails for some learning rates as long as nobody repairs it, and else learns."""
    rate = _members(launch, "HyperParameters")["lr"]
    source = _members(launch, "Environment")
    if "numpy" not in source.get("REQUIREMENTS", ""):
        lines = ["Traceback (most recent call last):", '  File "train.py", line 1, in <module>',
                 "ModuleNotFoundError: No module named 'numpy'"]  # fmt: skip
        return Script(seconds=10, lines=lines, exit_code=1)
    if rate == "2" and "repaired" not in source["TRAIN"]:
        lines = ["Traceback (most recent call last):", '  File "train.py", line 2, in <module>',
                 "ValueError: the data has 3 columns, not 4"]  # fmt: skip
        return Script(seconds=10, lines=lines, exit_code=1)
    if rate == "2" and source.get("DATA") != "v2":
        lines = ["Traceback (most recent call last):", '  File "train.py", line 9, in <module>',
                 "KeyError: 'label'"]  # fmt: skip
        return Script(seconds=10, lines=lines, exit_code=1)
    # Two reports in one line are warned of, in one job: that is a commit of its own.
    first = "loss=1.9 loss=0.9" if rate == "1" else "loss=0.9"
    return Script(seconds=15, lines=[first, f"loss={0.1 * float(rate):.2f}"])


def stalls(launch: Launch) -> Script:
    """The second job says nothing and does not end; the others learn."""
    if launch.name.endswith("-002"):
        return Script(seconds=3600, lines=[])
    return learns(launch)


NUMPY = {"train.py": "import numpy\n", "requirements.txt": "numpy==1.26.4\n"}

SWEEP = Story(
    loop_file={"pool": POOL, "job": JOB, "metric": METRIC, "strategy": grid(1, 3, 4)},
    script=learns,
    source={"train.py": "import numpy\n", "requirements.txt": "# nothing yet\n"},
    faults=(
        # the pool of the second job is gone as soon as it is idle
        {"kind": "patch_update", "job": "*-002"},
        # the third create happens, and nobody hears of it
        {"kind": "timeout_after_write", "operation": "CreateTrainingJob", "job": "*-003", "times": 1},
        # the fourth job loses its hardware, and with it the pool
        {"kind": "internal_error", "job": "*-004", "seconds": 5},
    ),
)
"""A missing module that is patched and tried again, a lost pool, an unknown create, lost hardware, a release."""

_ASKS = {
    "pool": POOL, "job": JOB, "metric": METRIC, "strategy": grid(1, 2),
    "on_failure": [
        {"when": "script", "command": ["./mend"], "times": 1},
        {"when": "any", "do": "handoff", "hold": "20m"},
    ],
}  # fmt: skip
HAND_OFF = Story(
    loop_file=_ASKS,
    script=learns,
    source=NUMPY,
    edits=(
        ("src/train.py", "import numpy  # repaired\n"),
        ("loop.yaml", loop_text({**_ASKS, "job": {**JOB, "environment": {"DATA": "v2"}}})),
    ),
)
"""Failures that a program cannot mend, and a person can: one in the source, one in the loop file."""

STOP = Story(
    loop_file={
        "pool": POOL, "job": {**JOB, "silence": "30s"}, "metric": METRIC, "strategy": grid(1, 3),
        "on_failure": [
            {"when": "quota", "do": "retry", "times": 1},
            {"when": "timeout", "do": "retry", "times": 1},
        ],
    },
    script=stalls,
    source=NUMPY,
    faults=({"kind": "resource_limit", "operation": "CreateTrainingJob", "job": "*-001"},),
)  # fmt: skip
"""A create that is refused and a job that falls silent and is stopped."""

ASK = Story(
    loop_file={
        "pool": POOL, "job": {**JOB, "hyperparameters": {"lr": 3}}, "metric": METRIC, "strategy": {"type": "ask"},
    },
    script=learns,
    source=NUMPY,
    proposals=(
        Proposal("story", 0, 0, "trial", {"lr": 1}),
        Proposal("story", 0, 0, "trial", {"lr": 1}),
        Proposal("story", 0, 0, "trial", {"lr": 2}, note="it fails"),
        Proposal("story", 0, 0, "trial", {"lr": 4}, "import numpy  # edited\n"),
        Proposal("story", 0, 0, "done"),
    ),
)  # fmt: skip
"""Trials that somebody proposes: one is refused, one fails, one brings a source, and then there is no further one."""

STORIES: Mapping[str, Story] = {"sweep": SWEEP, "hand-off": HAND_OFF, "stop": STOP, "ask": ASK}


def patient(script: Callable[[Launch], Script] = learns) -> Story:
    """Two trials that are tried again when they fail, and then given up; nobody is ever asked."""
    return Story(
        loop_file={
            "pool": POOL, "job": {**JOB, "silence": "1m"}, "metric": METRIC, "strategy": grid(1, 3),
            "limits": {"max_jobs": 5},
            "on_failure": [{"when": "any", "do": "retry", "times": 2}, {"when": "any", "do": "skip"}],
        },
        script=script,
        source=NUMPY,
    )  # fmt: skip
