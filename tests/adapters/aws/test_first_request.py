"""The first request of a loop file that brings its own: as it will be sent, and what would be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wpfsm.adapters.aws.first_request import first_request, lock_of
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


def test_a_sound_request_has_no_finding(tmp_path: Path) -> None:
    """As it will be sent: with the loop's own hyperparameters, limits and tags."""
    assert found(tmp_path, REQUEST, ", hyperparameters: {rounds: 7, eta: 0.1}") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"HyperParameters": {"eta": 0.3}}, "HyperParameters.eta of job.request"),
        ({"HyperParameters": {"deep": True}}, "HyperParameters.deep of job.request"),
        ({"EnableNetworkIsolation": "true"}, '"true" is not true or false'),
        ({"VpcConfig": None}, "null is no value: leave the member out"),
        ({"InputDataConfig": {"ChannelName": "a"}}, "is not a list"),
        ({"InputDatConfig": []}, "did you mean InputDataConfig?"),
        ({"TrainingJobName.$": "$.name"}, "did you mean TrainingJobName? (TrainingJobName.$ of"),
        ({"CheckpointConfig": {"S3Uri": "s3://b", "LocalFolder": "/x"}}, "CheckpointConfig.LocalFolder"),
    ],
)  # fmt: skip
def test_what_botocore_would_refuse_is_found(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    """Types, unknown members and nulls: the service is not needed to know them."""
    findings = found(tmp_path, {**REQUEST, **change})
    assert len(findings) == 1
    assert findings[0].startswith("refuse")
    assert told in findings[0]


def test_the_lock_is_that_of_the_request(tmp_path: Path) -> None:
    """Volume, network and encryption that only the request states are what `plan` prints."""
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    written(tmp_path, {**REQUEST, "VpcConfig": vpc, "EnableInterContainerTrafficEncryption": True})
    file = loop_file()
    strategy = build(file.strategy, None, {})
    lock = lock_of(file, first_request(file, tmp_path / "loop.yaml", strategy).lock)
    assert isinstance(lock, dict)
    assert lock["volume_gb"] == 77
    assert lock["vpc"] == {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}
    assert lock["encrypt_traffic"] is True
    assert lock["role"] == REQUEST["RoleArn"]
