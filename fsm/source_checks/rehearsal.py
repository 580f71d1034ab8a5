"""The rehearsal of a loop file: its first trial on this machine, and what of a failure only the image could show."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.failures.surroundings import NO_CONTAINER
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import as_mapping
from wpfsm.fsm.source_checks.image_modules import KnownImage
from wpfsm.fsm.strategies import Goal, Point
from wpfsm.fsm.strategies.registry import build

LONGEST = 600.0
"""Seconds that a job of a rehearsal may take, unless the loop file allows less."""

_OF_THE_HARDWARE = frozenset(
    {"cuda_oom", "host_oom", "shared_library", "disk_full", "network", "collective_timeout"}
)
_DATA = re.compile(r"FileNotFoundError|No such file or directory|SM_CHANNEL_|/input/data/")
_GPU = re.compile(r"\bCUDA\b|\bNVIDIA\b|\bNCCL\b|no GPU|\bcuda:\d|Torch not compiled with", re.IGNORECASE)


def rehearsal_of(file: LoopFile, inputs: Mapping[str, str]) -> LoopFile:
    """The loop file of a rehearsal: one trial, tried until it completes, patched by the same rules.

    Args:
        file: The loop file.
        inputs: Channels of the rehearsal; those of the loop file are in a bucket that a rehearsal does not read.
    """
    goal = Goal(file.metric.name, file.metric.goal) if file.metric else None
    trials = build(file.strategy, goal, file.job.hyperparameters).preview()
    first = trials[0] if trials else Point({}, "the job as it is")
    dumped = file.dump()
    job, pool = dict(as_mapping(dumped["job"])), dict(as_mapping(dumped["pool"]))
    job |= {
        "hyperparameters": {**file.job.hyperparameters, **first.params},
        "environment": {**file.job.environment, **{k: str(v) for k, v in first.environment.items()}},
        "source": first.source or file.job.source,
        "entry": first.entry or file.job.entry,
        "inputs": dict(inputs),
        "output": None,
        "max_runtime": f"{min(file.job.max_runtime, LONGEST):.0f}s",
        "install": "plain" if file.job.install == "plain" else None,
    }
    pool |= {
        "instance_count": 1,
        "keep_alive": "5m",
        "role": None,
        "kms_key": None,
        "vpc": None,
        "session_tag_keys": [],
        "allow_long_keep_alive": False,
    }
    kept = {name: dumped[name] for name in ("version", "region", "metric", "on_failure", "checks")}
    return LoopFile.model_validate(
        {
            **kept,
            "name": f"{file.name[:22]}-rehearsal",
            "backend": "local",
            "pool": pool,
            "job": job,
            "strategy": {"type": "fix", "attempts": 6},
        }
    )


def untested(diagnosis: Diagnosis, image: KnownImage, file: LoopFile, given: Collection[str]) -> str | None:
    """Why a failure of a rehearsal says nothing about a job on the image; None when it would fail there, too.

    Args:
        diagnosis: Of the last job.
        image: What is known of the image.
        file: The loop file.
        given: Channels that the rehearsal had data for.
    """
    module = str(diagnosis.details.get("module", "")).partition(".")[0]
    if diagnosis.class_ == "missing_module" and module:
        if image.modules is None:
            return f"whether the image brings {module} is not known"
        if module in image.modules and file.backend != "local":
            return f"{module} comes with the image, and is not here"
    if diagnosis.class_ == "time_limit":
        return "the trial did not end in the time of a rehearsal; what comes later is untested"
    if diagnosis.class_ in _OF_THE_HARDWARE:
        return f"{diagnosis.class_} is a matter of this machine"
    if file.backend != "local" and diagnosis.fix.startswith(NO_CONTAINER):
        return "it names /opt/ml, which is the container's: only the image shows it"
    absent = [name for name in file.job.inputs if name not in given]
    says_data = diagnosis.class_ in ("channel", "data") or any(
        _DATA.search(str(x)) for x in diagnosis.evidence
    )
    if absent and says_data:
        return f"the data of {', '.join(absent)} is not here; --input NAME=FOLDER gives some"
    if any(_GPU.search(str(line)) for line in diagnosis.evidence):
        return "it asks for a GPU, and there is none here"
    return None
