"""What a job must share with a pool to run on it, and what it need not."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_requests import training_job

from wpfsm.adapters.emulator.engine.match_key import match_key
from wpfsm.adapters.emulator.engine.settings import Switches


def key(session_tags: tuple[str, ...] = (), **changes: Any) -> str:
    return match_key(training_job("j", **changes), session_tags, Switches())


@pytest.mark.parametrize(
    "changes",
    [
        {"keep_alive": 60},
        {"keep_alive": None},
        {"stopping": {"MaxRuntimeInSeconds": 60}},
        {"algorithm": {"TrainingImage": "other"}},
        {"HyperParameters": {"lr": "1"}},
        {"Environment": {"A": "1"}},
        {"OutputDataConfig": {"S3OutputPath": "s3://elsewhere/x"}},
        {"session_tags": ("team",)},
    ],
)
def test_what_may_differ_from_job_to_job(changes: dict[str, Any]) -> None:
    """Image, values, output, times and tags of a session that does not chain them take the same pool."""
    assert key(**changes) == key()


DIFFERENT: list[dict[str, Any]] = [
    {},
    {"RoleArn": "arn:aws:iam::123456789012:role/Other"},
    {"resources": {"InstanceType": "ml.m5.xlarge"}},
    {"resources": {"InstanceCount": 2}},
    {"resources": {"VolumeSizeInGB": 11}},
    {"resources": {"VolumeKmsKeyId": "a-key"}},
    {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
    {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-2"]}},
    {"EnableNetworkIsolation": True},
    {"EnableInterContainerTrafficEncryption": True},
    {"EnableManagedSpotTraining": True},
    {"SessionChainingConfig": {"EnableSessionTagChaining": True}},
    {"SessionChainingConfig": {"EnableSessionTagChaining": True}, "session_tags": ("team",)},
]


def test_what_must_be_the_same() -> None:
    """Each of these is a pool of its own."""
    assert len({key(**changes) for changes in DIFFERENT}) == len(DIFFERENT)
