"""An emulator that is killed: nothing of its jobs runs on, and the next one knows what there was."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from emulator_jobs import IMAGE, ROLE, wait_for, wait_terminal
from mypy_boto3_sagemaker.client import SageMakerClient

from wpfsm.adapters.emulator.launch import Endpoint, ensure, stop

PATIENCE = 90.0
pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux waits for any process")


@pytest.fixture
def endpoint(tmp_path: Path):  # type: ignore[no-untyped-def]
    """An emulator of the test's own."""
    yield ensure(tmp_path / "state", options=["--cold-start", "0"])
    stop(tmp_path / "state")


def client(endpoint: Endpoint) -> SageMakerClient:
    session = boto3.Session("123456789012", "made-up", region_name="us-east-1")
    return session.client("sagemaker", endpoint_url=endpoint.url)


def start_job(
    sagemaker: SageMakerClient, name: str, script: str, environment: dict[str, str] | None = None
) -> None:
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c", script],
        },
        ResourceConfig={
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
            "KeepAlivePeriodInSeconds": 600,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        OutputDataConfig={"S3OutputPath": "s3://training/out"},
        Environment=environment or {},
    )


def start_sleeper(sagemaker: SageMakerClient, name: str, directory: Path) -> list[int]:
    """Start a job that sleeps; return a handle of its process and of the one that it started.

    The path travels in the environment: an entry point's word has at most 256 characters.
    """
    told = directory / name
    script = 'sleep 600 & echo $$ $! > "$TOLD.new"; mv "$TOLD.new" "$TOLD"; wait'
    start_job(sagemaker, name, script, {"TOLD": str(told)})
    pids = wait_for(lambda: told.read_text() if told.exists() else None)
    return [os.pidfd_open(int(pid)) for pid in pids.split()]


def assert_all_end(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        assert select.select([descriptor], [], [], PATIENCE)[0], "a process of the job runs on"
        os.close(descriptor)


def test_a_killed_emulators_jobs_and_pools_are_known_to_the_next(endpoint: Endpoint, tmp_path: Path) -> None:
    """SIGKILL loses the running job, as an infrastructure failure would; a kept pool stays kept and warm."""
    sagemaker = client(endpoint)
    start_job(sagemaker, "done", "echo cached > /opt/ml/sagemaker/warmpoolcache/x; echo eval_loss=1")
    wait_terminal(sagemaker, "done")
    start_job(sagemaker, "other", "true")
    wait_terminal(sagemaker, "other")
    running = start_sleeper(sagemaker, "lost", tmp_path)  # on the pool of the two
    os.kill(endpoint.pid, signal.SIGKILL)
    sagemaker = client(ensure(tmp_path / "state", options=["--cold-start", "0"]))
    assert_all_end(running)

    lost = sagemaker.describe_training_job(TrainingJobName="lost")
    assert lost["TrainingJobStatus"] == "Failed"
    assert lost["FailureReason"].startswith("InternalServerError")
    assert lost.get("WarmPoolStatus", {}).get("Status") != "Available"
    other = sagemaker.describe_training_job(TrainingJobName="other")["WarmPoolStatus"]
    assert (other["Status"], other["ReusedByJob"]) == ("Reused", "lost")


def test_a_pool_survives_with_its_cache(endpoint: Endpoint, tmp_path: Path) -> None:
    """A job that is submitted to the next emulator finds the pool and what the last one's job cached."""
    sagemaker = client(endpoint)
    start_job(sagemaker, "before", "echo cached > /opt/ml/sagemaker/warmpoolcache/x")
    wait_terminal(sagemaker, "before")
    os.kill(endpoint.pid, signal.SIGKILL)
    sagemaker = client(ensure(tmp_path / "state", options=["--cold-start", "0"]))
    start_job(sagemaker, "after", "grep cached /opt/ml/sagemaker/warmpoolcache/x")

    assert wait_terminal(sagemaker, "after")["TrainingJobStatus"] == "Completed"
    assert sagemaker.describe_training_job(TrainingJobName="before")["WarmPoolStatus"]["Status"] == "Reused"


def test_an_emulator_that_ends_takes_its_jobs_with_it(endpoint: Endpoint, tmp_path: Path) -> None:
    """SIGTERM ends the emulator and all that its jobs started."""
    running = start_sleeper(client(endpoint), "sleeper", tmp_path)
    stop(tmp_path / "state")

    assert_all_end(running)


def test_the_last_lines_of_a_job_outlive_a_clean_end(endpoint: Endpoint, tmp_path: Path) -> None:
    """What a job printed before SIGTERM ended the emulator is in its log afterwards, and nothing went wrong."""
    sagemaker, printed = client(endpoint), tmp_path / "printed"
    script = 'while :; do echo $((n += 1)); echo $n > "$TOLD"; done'
    start_job(sagemaker, "talker", script, {"TOLD": str(printed)})
    wait_for(lambda: printed.exists() or None)
    stop(tmp_path / "state")

    assert "Traceback" not in (tmp_path / "state" / "emulator.log").read_text()
    again = ensure(tmp_path / "state", options=["--cold-start", "0"])
    logs = boto3.Session("123456789012", "made-up", region_name="us-east-1").client(
        "logs", endpoint_url=again.url
    )
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="talker/")["logStreams"]
    tail = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], limit=1)["events"]
    assert int(tail[0]["message"]) >= int(printed.read_text() or 0)


def test_ctrl_c_ends_an_emulator_in_the_foreground(tmp_path: Path) -> None:
    """An interrupt is a clean end: exit code 0, no endpoint file left."""
    state = tmp_path / "state"
    process = subprocess.Popen(
        [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", state], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)

    assert process.wait(PATIENCE) == 0
    wait_for(lambda: None if (state / "endpoint.json").exists() else True)


def test_s3_survives(endpoint: Endpoint, tmp_path: Path) -> None:
    """What a job needs and what one left is still in S3 after a SIGKILL, though moto has it in memory."""
    s3 = boto3.Session("123456789012", "made-up", region_name="us-east-1").client(
        "s3", endpoint_url=endpoint.url
    )
    s3.create_bucket(Bucket="training")
    sagemaker = client(endpoint)
    start_job(sagemaker, "trained", "echo weights > /opt/ml/model/w")
    wait_terminal(sagemaker, "trained")
    os.kill(endpoint.pid, signal.SIGKILL)
    again = ensure(tmp_path / "state", options=["--cold-start", "0"])
    s3 = boto3.Session("123456789012", "made-up", region_name="us-east-1").client(
        "s3", endpoint_url=again.url
    )

    found = s3.list_objects_v2(Bucket="training")["Contents"]
    assert [each["Key"] for each in found] == ["out/trained/output/model.tar.gz"]
