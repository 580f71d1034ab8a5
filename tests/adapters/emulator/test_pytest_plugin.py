"""The fixture that is shipped: each test has an emulator of its own, as far as it can tell."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient


def create(sagemaker: SageMakerClient, name: str, bucket: str) -> None:
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/Train",
        AlgorithmSpecification={
            "TrainingImage": "any",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["true"],
        },
        ResourceConfig={
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            "KeepAlivePeriodInSeconds": 60,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
    )


def completed(emulator: SageMakerEmulator, name: str) -> None:
    """Run a job to its end."""
    create(emulator.sagemaker, name, emulator.bucket)
    deadline = time.monotonic() + 90
    while emulator.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "Completed":
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_does_not_see_the_jobs_of_another(sagemaker_emulator: SageMakerEmulator, turn: int) -> None:
    """The same name is free in each test, and nothing is listed before it is made."""
    assert sagemaker_emulator.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    create(sagemaker_emulator.sagemaker, "same", sagemaker_emulator.bucket)

    assert [job["name"] for job in sagemaker_emulator.records()["jobs"]] == ["same"]


@pytest.mark.parametrize("turn", [1, 2])
def test_a_fault_ends_with_its_test(sagemaker_emulator: SageMakerEmulator, turn: int) -> None:
    """What one test injects strikes no call of the next."""
    sagemaker_emulator.sagemaker.list_training_jobs()
    sagemaker_emulator.inject({"kind": "error", "code": "Custom", "operation": "ListTrainingJobs"})

    with pytest.raises(ClientError, match="Custom"):
        sagemaker_emulator.sagemaker.list_training_jobs()


def test_time_can_be_advanced(sagemaker_emulator: SageMakerEmulator) -> None:
    """A pool's keep-alive passes at once."""
    completed(sagemaker_emulator, "kept")
    sagemaker_emulator.advance(61)
    job = sagemaker_emulator.sagemaker.describe_training_job(TrainingJobName="kept")

    assert job["WarmPoolStatus"]["Status"] == "Terminated"
    assert job["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"] == 60


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_does_not_see_the_time_of_another(sagemaker_emulator: SageMakerEmulator, turn: int) -> None:
    """A test that let a day pass leaves the next one in the present, where its own processes live."""
    create(sagemaker_emulator.sagemaker, "now", sagemaker_emulator.bucket)
    created = sagemaker_emulator.sagemaker.describe_training_job(TrainingJobName="now")["CreationTime"]
    assert abs(created.timestamp() - time.time()) < 3600
    sagemaker_emulator.advance(86400)


def test_a_pool_can_be_struck(sagemaker_emulator: SageMakerEmulator) -> None:
    """A patch update ends an Available pool."""
    completed(sagemaker_emulator, "patched")
    sagemaker_emulator.strike("patched", "patch_update")
    job = sagemaker_emulator.sagemaker.describe_training_job(TrainingJobName="patched")

    assert job["WarmPoolStatus"]["Status"] == "Terminated"


def test_any_client_finds_it_by_the_environment(sagemaker_emulator: SageMakerEmulator) -> None:
    """Code under test that makes its own clients reaches the emulator, in the test's account."""
    assert boto3.client("sts").get_caller_identity()["Account"] == sagemaker_emulator.account
    assert os.environ["AWS_ENDPOINT_URL"] == sagemaker_emulator.url
