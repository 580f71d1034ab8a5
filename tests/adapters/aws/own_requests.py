"""A request of the user's own, the loop file around it, and what is found in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wpfsm.adapters.aws.first_request import first_request
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies import Goal
from wpfsm.fsm.strategies.registry import build

REQUEST: dict[str, Any] = {
    "TrainingJobName": "forecast-7",
    "RoleArn": "arn:aws:iam::123456789012:role/Train",
    "AlgorithmSpecification": {"TrainingImage": "acme/train:1", "TrainingInputMode": "File"},
    "HyperParameters": {"rounds": "50"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
    "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 77},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}


def loop_file(more: str = "") -> LoopFile:
    """A loop file around the request."""
    return parse(
        "version: 1\nname: own\npool: {instance_type: ml.c5.xlarge, instance_count: 2, keep_alive: 10m}\n"
        f"job: {{request: request.json{more}}}\n"
    )


def written(folder: Path, request: object) -> Path:
    """The request as a file."""
    path = folder / "request.json"
    path.write_text(request if isinstance(request, str) else json.dumps(request))
    return path


def found(folder: Path, request: object, more: str = "") -> list[str]:
    """What `plan` finds in a request."""
    written(folder, request)
    file = loop_file(more)
    strategy = build(file.strategy, Goal("m", "minimize"), file.job.hyperparameters)
    own = first_request(file, folder / "loop.yaml", strategy)
    return [f"{finding.level}: {finding} {finding.fix}" for finding in own.findings]
