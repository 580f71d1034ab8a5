"""The first request of a loop file that brings its own: as it will be sent, and what would be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from own_requests import REQUEST, found, loop_file, written

from wpfsm.adapters.aws.first_request import first_request, lock_of
from wpfsm.fsm.strategies.registry import build


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
