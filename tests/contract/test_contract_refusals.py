"""What CreateTrainingJob refuses, with the service's code and wording."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract_world import World

TEMPLATE = "validation error"


def refusal(world: World, **changes: Any) -> str:
    """Return the message of the ValidationException that a request meets."""
    with pytest.raises(ClientError) as refused:
        world.create(**changes)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(refused.value.response["Error"]["Message"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "under_score"}, "Value 'under_score' at 'trainingJobName' failed to satisfy constraint"),
        ({"name": "a" * 64}, "Member must have length less than or equal to 63"),
        ({"resources": {"InstanceType": "ml.nope.large"}}, "at 'resourceConfig.instanceType'"),
        ({"keep_alive": 21601}, "Member must have value less than or equal to 21600"),
        ({"Environment": {"1BAD": "x"}}, "Map keys must satisfy constraint"),
        ({"HyperParameters": {"a": "x" * 2501}}, "Map value must satisfy constraint"),
        ({"Tags": [{"Key": "#", "Value": "x"}]}, "at 'tags.1.member.key'"),
    ],
)
def test_the_model_s_constraints(endpoint: World, changes: dict[str, Any], words: str) -> None:
    """Maximum, enum and pattern are refused as '1 validation error detected: Value ... at ...'."""
    message = refusal(endpoint, **changes)
    assert message.startswith("1 validation error detected: ") or TEMPLATE in message
    assert words in message


def test_all_problems_are_told_at_once(endpoint: World) -> None:
    """Two broken constraints are two errors in one message."""
    message = refusal(endpoint, name="under_score", resources={"InstanceType": "ml.nope.large"})
    assert message.startswith("2 validation errors detected: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"EnableManagedSpotTraining": True, "stopping": {"MaxWaitTimeInSeconds": 3600}},
            "EnableManagedSpotTraining",
        ),
        ({"EnableManagedSpotTraining": True, "keep_alive": None}, "MaxWaitTimeInSeconds is required"),
        (
            {
                "EnableManagedSpotTraining": True,
                "keep_alive": None,
                "stopping": {"MaxWaitTimeInSeconds": 60},
            },
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        ({"stopping": {"MaxRuntimeInSeconds": 28 * 86400 + 1}}, "MaxRuntimeInSeconds"),
        ({"algorithm": {"AlgorithmName": "mine"}}, "either AlgorithmName or TrainingImage"),
        ({"algorithm": {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}}, "regex of metric m"),
        ({"resources": {"VolumeSizeInGB": 0}}, "VolumeSizeInGB"),
        ({"resources": {"InstanceCount": 0}}, "InstanceCount"),
        ({"resources": {"SelectedInstanceCount": 1}}, "read-only"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "reserved"),
        ({"Tags": [{"Key": "a", "Value": "y"}, {"Key": "a", "Value": "z"}]}, "Duplicate tag keys"),
        (
            {"resources": {"InstanceType": "ml.g5.xlarge", "VolumeKmsKeyId": "key"}},
            "VolumeKmsKeyId is not supported",
        ),
    ],
)
def test_members_that_exclude_one_another(endpoint: World, changes: dict[str, Any], words: str) -> None:
    """What the model admits and the service does not is refused by name; spot cannot keep a pool."""
    assert words in refusal(endpoint, **changes)


def test_a_heterogeneous_cluster_cannot_keep_a_pool(endpoint: World) -> None:
    """InstanceGroups exclude a keep-alive."""
    group = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "a"}
    request = endpoint.request()
    request["ResourceConfig"] = {"InstanceGroups": [group], "VolumeSizeInGB": 10}
    request["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 60
    with pytest.raises(ClientError, match="not supported with InstanceGroups"):
        endpoint.sagemaker.create_training_job(**request)


def test_a_refused_job_does_not_exist(endpoint: World) -> None:
    """After a refusal the name is unknown, and still free."""
    refusal(endpoint, name=f"{endpoint.prefix}-x", stopping={"MaxRuntimeInSeconds": 10**9})
    with pytest.raises(ClientError, match="not found"):
        endpoint.describe(f"{endpoint.prefix}-x")
