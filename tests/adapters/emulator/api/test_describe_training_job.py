"""DescribeTrainingJob shows what the service shows, which is more than was given and less than is known."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import training_job
from emulator_stage import Stage

CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data"}},
}
MLFLOW = {
    "MlflowResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/mine",
    "MlflowExperimentName": "sweep",
}


def describe(sagemaker: Any, name: str) -> dict[str, Any]:
    return dict(sagemaker.describe_training_job(TrainingJobName=name))


def test_members_that_were_not_given_are_completed(sagemaker: Any) -> None:
    """Clients index them: SDK v2's attach reads OutputDataConfig.KmsKeyId."""
    sagemaker.create_training_job(**training_job("j", InputDataConfig=[CHANNEL]))
    job = describe(sagemaker, "j")
    assert job["OutputDataConfig"] == {"KmsKeyId": "", "S3OutputPath": "s3://output/jobs"}
    (channel,) = job["InputDataConfig"]
    assert (channel["CompressionType"], channel["RecordWrapperType"]) == ("None", "None")
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is False
    assert job["ProfilingStatus"] == "Disabled"


def test_what_was_given_is_shown_as_it_was(sagemaker: Any) -> None:
    """A completed member does not replace one of the request."""
    request = training_job("j", InputDataConfig=[{**CHANNEL, "CompressionType": "Gzip"}])
    request["OutputDataConfig"]["KmsKeyId"] = "key"
    request["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] = True
    sagemaker.create_training_job(**request)
    job = describe(sagemaker, "j")
    assert job["OutputDataConfig"]["KmsKeyId"] == "key"
    assert job["InputDataConfig"][0]["CompressionType"] == "Gzip"
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is True


def test_no_channel_appears_where_none_was_given(sagemaker: Any) -> None:
    """An absent InputDataConfig stays absent."""
    sagemaker.create_training_job(**training_job("j"))
    assert "InputDataConfig" not in describe(sagemaker, "j")


def test_artifacts_appear_when_the_job_has_ended(stage: Stage, sagemaker: Any) -> None:
    """There is no model to name while the job runs."""
    assert stage.emulator is not None
    sagemaker.create_training_job(**training_job("j"))
    stage.emulator.advance(30)
    assert "ModelArtifacts" not in describe(sagemaker, "j")
    stage.emulator.advance(100)
    assert describe(sagemaker, "j")["ModelArtifacts"] == {
        "S3ModelArtifacts": "s3://output/jobs/j/output/model.tar.gz"
    }


def test_what_the_service_passes_on_is_kept_and_shown(sagemaker: Any) -> None:
    """MlflowConfig, ExperimentConfig and the like are no business of the emulator's, and not lost either."""
    passed_on = {"MlflowConfig": MLFLOW, "ExperimentConfig": {"ExperimentName": "e"}}
    sagemaker.create_training_job(**training_job("j", **passed_on))
    job = describe(sagemaker, "j")
    assert {name: job[name] for name in passed_on} == passed_on


def test_what_would_need_a_service_behind_it_is_refused(sagemaker: Any) -> None:
    """A model package would have to be made when the job ends; nothing here makes it."""
    group = {
        "ModelPackageGroupArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g",
    }
    with pytest.raises(ClientError, match="does not offer ModelPackageConfig"):
        sagemaker.create_training_job(**training_job("j", ModelPackageConfig=group))
