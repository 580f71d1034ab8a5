"""Real clients of the emulator: the AWS CLI, the SageMaker SDK, boto3, and the fixture that is shipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_jobs import IMAGE, ROLE, wait_for, wait_terminal, write_project

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

HERE = Path(__file__).parent
AWS = Path(sys.executable).parent / "aws"


def bash_job(emulator: SageMakerEmulator, name: str, script: str, *, keep_alive: int = 600) -> dict[str, Any]:
    """Return a CreateTrainingJob request that runs a shell script."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c"],
            "ContainerArguments": [script],
            "MetricDefinitions": [{"Name": "eval_loss", "Regex": "eval_loss=([0-9.]+)"}],
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{emulator.bucket}/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            "KeepAlivePeriodInSeconds": keep_alive,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def log_of(emulator: SageMakerEmulator, job: str) -> list[str]:
    """Return every line of a job's log."""
    logs = emulator.session.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    return [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]


# boto3


def test_two_jobs_on_one_pool_through_boto3(sagemaker_emulator: SageMakerEmulator) -> None:
    """The second job finds the first one's pool and its cache; release ends both."""
    sagemaker = sagemaker_emulator.sagemaker
    script = "cat /opt/ml/sagemaker/warmpoolcache/x; echo eval_loss=0.5; echo cached > /opt/ml/sagemaker/warmpoolcache/x"
    for name in ("one", "two", "three"):
        sagemaker.create_training_job(**bash_job(sagemaker_emulator, name, script))
        job = wait_terminal(sagemaker, name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert job["FinalMetricDataList"][0]["Value"] == 0.5
        if name == "two":
            sagemaker.update_training_job(
                TrainingJobName="two", ResourceConfig={"KeepAlivePeriodInSeconds": 0}
            )
            wait_for(lambda: pool_of(sagemaker_emulator, "two") == "Terminated" or None)

    assert sagemaker.describe_training_job(TrainingJobName="one")["WarmPoolStatus"]["ReusedByJob"] == "two"
    assert "cached" not in log_of(sagemaker_emulator, "one")
    assert "cached" in log_of(sagemaker_emulator, "two")
    assert "cached" not in log_of(sagemaker_emulator, "three")


def pool_of(emulator: SageMakerEmulator, job: str) -> str:
    status = emulator.sagemaker.describe_training_job(TrainingJobName=job).get("WarmPoolStatus")
    return status["Status"] if status else "absent"


def test_a_job_that_fails_says_how(sagemaker_emulator: SageMakerEmulator) -> None:
    """The exit code and the failure file make the FailureReason; the pool stays."""
    sagemaker = sagemaker_emulator.sagemaker
    script = "echo to the log; echo -n 'ValueError: no' > /opt/ml/output/failure; exit 3"
    sagemaker.create_training_job(**bash_job(sagemaker_emulator, "bad", script))
    job = wait_terminal(sagemaker, "bad")

    assert job["FailureReason"] == "AlgorithmError: ValueError: no, exit code: 3"
    assert log_of(sagemaker_emulator, "bad") == ["to the log"]
    assert pool_of(sagemaker_emulator, "bad") == "Available"


def test_the_whole_log_is_there_when_a_job_is_terminal(sagemaker_emulator: SageMakerEmulator) -> None:
    """No line is missing once Describe says Completed."""
    sagemaker = sagemaker_emulator.sagemaker
    sagemaker.create_training_job(**bash_job(sagemaker_emulator, "long", "seq 5000; printf last"))
    wait_terminal(sagemaker, "long")

    assert log_of(sagemaker_emulator, "long") == [*map(str, range(1, 5001)), "last"]


def test_stopping_a_job_leaves_its_pool(sagemaker_emulator: SageMakerEmulator) -> None:
    """StopTrainingJob is not release: what was saved is uploaded, the pool is Available."""
    sagemaker = sagemaker_emulator.sagemaker
    script = "trap 'echo w > /opt/ml/model/w; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    sagemaker.create_training_job(**bash_job(sagemaker_emulator, "stopped", script))
    wait_for(lambda: "ready" in log_of_started(sagemaker_emulator, "stopped") or None)
    sagemaker.stop_training_job(TrainingJobName="stopped")
    job = wait_terminal(sagemaker, "stopped")

    assert job["TrainingJobStatus"] == "Stopped"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/stopped/output/model.tar.gz")
    assert pool_of(sagemaker_emulator, "stopped") == "Available"


def log_of_started(emulator: SageMakerEmulator, job: str) -> list[str]:
    """Return a job's log, which is not there before its container starts."""
    try:
        return log_of(emulator, job)
    except ClientError:
        return []


# The AWS CLI


def aws(*arguments: str | Path) -> Any:
    """Run the AWS CLI and return its answer."""
    done = subprocess.run(
        [AWS, *arguments, "--output", "json"], capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout


@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_the_aws_cli_runs_a_job_and_releases_its_pool(
    sagemaker_emulator: SageMakerEmulator, tmp_path: Path
) -> None:
    """Data up, job run, log read, pool listed and released, model down: with the commands of the guide."""
    bucket = sagemaker_emulator.bucket
    (tmp_path / "numbers.csv").write_text("1,2")
    aws("s3", "cp", tmp_path / "numbers.csv", f"s3://{bucket}/data/numbers.csv")
    request = bash_job(
        sagemaker_emulator,
        "cli",
        "cp /opt/ml/input/data/train/numbers.csv /opt/ml/model/; echo eval_loss=0.25",
    ) | {
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/"}},
            }
        ]
    }
    arn = aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request))["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{sagemaker_emulator.account}:training-job/cli"
    wait_terminal(sagemaker_emulator.sagemaker, "cli")

    job = aws("sagemaker", "describe-training-job", "--training-job-name", "cli")
    assert (job["TrainingJobStatus"], job["WarmPoolStatus"]["Status"]) == ("Completed", "Available")
    kept = aws("sagemaker", "list-training-jobs", "--warm-pool-status-equals", "Available")
    assert [row["TrainingJobName"] for row in kept["TrainingJobSummaries"]] == ["cli"]
    lines = aws("logs", "filter-log-events", "--log-group-name", "/aws/sagemaker/TrainingJobs")["events"]
    assert [line["message"] for line in lines] == ["eval_loss=0.25"]

    release = ("--training-job-name", "cli", "--resource-config", "KeepAlivePeriodInSeconds=0")
    aws("sagemaker", "update-training-job", *release)
    wait_for(lambda: pool_of(sagemaker_emulator, "cli") == "Terminated" or None)
    aws("s3", "cp", job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "model.tar.gz")
    with tarfile.open(tmp_path / "model.tar.gz") as archive:
        assert archive.getnames() == ["numbers.csv"]


@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_the_aws_cli_shows_the_services_refusal(sagemaker_emulator: SageMakerEmulator) -> None:
    """What the service's model refuses reaches the user in the service's words."""
    done = subprocess.run(
        [AWS, "sagemaker", "describe-training-job", "--training-job-name", "none"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "(ValidationException) when calling the DescribeTrainingJob operation" in done.stderr


# The SageMaker SDK


def model_trainer(
    emulator: SageMakerEmulator, project: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the SDK in a process of its own."""
    return subprocess.run(
        [sys.executable, HERE / "model_trainer_jobs.py", project, emulator.bucket, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={
            **emulator.environment,
            "PATH": os.environ["PATH"],
            "HOME": str(project),
            "TMPDIR": str(project),
        },
    )


@pytest.mark.sdk
def test_model_trainer_trains_and_shows_the_log(
    sagemaker_emulator: SageMakerEmulator, tmp_path: Path
) -> None:
    """``ModelTrainer(...).train(wait=True, logs=True)`` runs the script, streams its log and returns."""
    done = model_trainer(sagemaker_emulator, write_project(tmp_path), "digits", "train", "lr=0.01")
    assert done.returncode == 0, done.stdout + done.stderr
    name = json.loads(done.stdout.splitlines()[-1])["job"]
    job = sagemaker_emulator.sagemaker.describe_training_job(TrainingJobName=name)

    assert "eval_loss=0.0600" in done.stdout
    assert (job["TrainingJobStatus"], job["WarmPoolStatus"]["Status"]) == ("Completed", "Available")
    assert job["FinalMetricDataList"][0]["Value"] == pytest.approx(0.06)
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    body = sagemaker_emulator.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=BytesIO(body)) as archive:
        assert archive.getnames() == ["model.json"]


@pytest.mark.sdk
def test_two_steps_of_model_trainer_share_a_pool(
    sagemaker_emulator: SageMakerEmulator, tmp_path: Path
) -> None:
    """Requests that ModelTrainer made and boto3 sent: the second job is warm, its pip cache was kept."""
    project = write_project(tmp_path)
    for name in ("digits-001", "digits-002"):
        done = model_trainer(sagemaker_emulator, project, name, "two-step", "lr=0.02")
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == {"job": name, "pool": "Available"}

    assert "cache saw nothing" in log_of(sagemaker_emulator, "digits-001")
    assert "cache saw digits-001" in log_of(sagemaker_emulator, "digits-002")
    assert pool_of(sagemaker_emulator, "digits-001") == "Reused"


@pytest.mark.sdk
def test_model_trainer_raises_when_the_script_fails(
    sagemaker_emulator: SageMakerEmulator, tmp_path: Path
) -> None:
    """The SDK raises FailedStatusError; the reason hides the cause, the log shows it, as on the service."""
    done = model_trainer(sagemaker_emulator, write_project(tmp_path), "bad", "train", "lr=1", "fail=yes")
    jobs = sagemaker_emulator.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    job = sagemaker_emulator.sagemaker.describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])

    assert "FailedStatusError" in done.stderr
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert "CalledProcessError" in job["FailureReason"]
    assert "CUDA out of memory" not in job["FailureReason"]
    assert any(
        "CUDA out of memory" in line for line in log_of(sagemaker_emulator, jobs[0]["TrainingJobName"])
    )
