"""What could be done in part only is refused whole, before there is a job."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import training_job


def channel(kind: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": kind, "S3Uri": "s3://b/k"}}
    return {"ChannelName": "train", "DataSource": source, **more}


FILE_SYSTEM = {
    "FileSystemId": "fs-12345678901", "FileSystemAccessMode": "ro", "FileSystemType": "EFS", "DirectoryPath": "/d"
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"InputDataConfig": [channel(InputMode="Pipe")]}, "does not offer Pipe mode"),
        ({"InputDataConfig": [channel("AugmentedManifestFile")]}, "does not offer AugmentedManifestFile"),
        (
            {"InputDataConfig": [channel() | {"DataSource": {"FileSystemDataSource": FILE_SYSTEM}}]},
            "does not offer FileSystemDataSource, which channel train asks for",
        ),
        (
            {"InputDataConfig": [channel()], "algorithm": {"TrainingInputMode": "Pipe"}},
            "does not offer Pipe mode",
        ),
        ({"CheckpointConfig": {"S3Uri": "s3://b/k", "LocalPath": "/opt/ml/../../x"}}, "must not lead out"),
    ],
)
def test_what_is_not_modelled_is_refused(sagemaker: Any, changes: dict[str, Any], words: str) -> None:
    """The refusal names the member; no job exists afterwards."""
    with pytest.raises(ClientError, match=words):
        sagemaker.create_training_job(**training_job("j", **changes))
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_groups_of_instances_are_refused(sagemaker: Any) -> None:
    """Hosts of several kinds would be run as hosts of one."""
    request = training_job("j")
    group = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "a"}
    request["ResourceConfig"] = {"InstanceGroups": [group], "VolumeSizeInGB": 10}
    with pytest.raises(ClientError, match="does not offer InstanceGroups"):
        sagemaker.create_training_job(**request)


def test_an_algorithm_by_name_is_refused(sagemaker: Any) -> None:
    """There is no marketplace behind the emulator."""
    request = training_job("j")
    request["AlgorithmSpecification"] = {"TrainingInputMode": "File", "AlgorithmName": "mine"}
    with pytest.raises(ClientError, match="does not offer AlgorithmName"):
        sagemaker.create_training_job(**request)
