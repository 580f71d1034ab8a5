"""What the contract tests know of the endpoint under test: how to ask it, and how to wait for it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script

ROLE = "arn:aws:iam::123456789012:role/Train"
INSTANCE_TYPE = "ml.m5.large"
TERMINAL = {"Completed", "Failed", "Stopped"}
METRICS = [{"Name": "eval_loss", "Regex": "eval_loss=([0-9.]+)"}]

BEHAVIOURS = {
    "echo eval_loss=0.5; echo eval_loss=0.25": Script(seconds=30, lines=["eval_loss=0.5", "eval_loss=0.25"]),
    "mkdir -p /opt/ml/output; printf 'bad thing' > /opt/ml/output/failure; exit 3": Script(
        seconds=30, exit_code=3, failure="bad thing"
    ),
    "sleep 3600": Script(seconds=3600),
    "sleep 3600 & wait": Script(seconds=3600),
}
SUCCEEDS, FAILS, SLEEPS, _ = BEHAVIOURS


def script(launch: Launch) -> Script:
    """Return what the made-up runner does for a command that a real process would carry out."""
    algorithm = launch.request["AlgorithmSpecification"]
    assert isinstance(algorithm, dict)
    arguments = algorithm.get("ContainerArguments", [SUCCEEDS])
    assert isinstance(arguments, list)
    return BEHAVIOURS[str(arguments[0])]


@dataclass
class World:
    """An endpoint with its clients."""

    session: boto3.Session
    client: Callable[[str], Any]
    pause: Callable[[], None]
    patience: float
    role: str = ROLE
    image: str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1"
    output: str = "s3://contract-output/jobs"
    emulator: Emulator | None = None
    prefix: str = field(default_factory=lambda: f"contract-{uuid.uuid4().hex[:8]}")
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sagemaker = self.client("sagemaker")

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return a CreateTrainingJob request; changes to resources, algorithm and stopping are merged."""
        does = changes.pop("does", SUCCEEDS)
        keep_alive = changes.pop("keep_alive", 600)
        resources = {"InstanceType": INSTANCE_TYPE, "InstanceCount": 1, "VolumeSizeInGB": 10}
        if keep_alive is not None:
            resources["KeepAlivePeriodInSeconds"] = keep_alive
        algorithm = {
            "TrainingImage": self.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c"],
            "ContainerArguments": [does],
            "MetricDefinitions": METRICS,
        }
        return {
            "TrainingJobName": changes.pop("name", None) or f"{self.prefix}-{len(self.made):03d}",
            "RoleArn": self.role,
            "AlgorithmSpecification": algorithm | changes.pop("algorithm", {}),
            "OutputDataConfig": {"S3OutputPath": self.output},
            "ResourceConfig": resources | changes.pop("resources", {}),
            "StoppingCondition": {"MaxRuntimeInSeconds": 1800} | changes.pop("stopping", {}),
            **changes,
        }

    def create(self, **changes: Any) -> str:
        """Create a training job and return its name."""
        request = self.request(**changes)
        self.made.append(request["TrainingJobName"])
        self.sagemaker.create_training_job(**request)
        return str(request["TrainingJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        """Describe a job."""
        return dict(self.sagemaker.describe_training_job(TrainingJobName=name))

    def pool(self, name: str) -> str | None:
        """Return a job's WarmPoolStatus, None when absent."""
        return self.describe(name).get("WarmPoolStatus", {}).get("Status")

    def until(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Describe a job until something holds of it."""
        deadline = time.monotonic() + self.patience
        while not holds(answer := self.describe(name)):
            assert time.monotonic() < deadline, answer
            self.pause()
        return answer

    def finished(self, name: str) -> dict[str, Any]:
        """Wait for a job's end."""
        return self.until(name, lambda answer: answer["TrainingJobStatus"] in TERMINAL)

    def finished_with_pool(self, name: str) -> dict[str, Any]:
        """Wait for a job's end and for its pool to be Available."""
        return self.until(
            name,
            lambda a: (
                a["TrainingJobStatus"] in TERMINAL
                and a.get("WarmPoolStatus", {}).get("Status") == "Available"
            ),
        )

    def release(self, name: str) -> None:
        """Ask for the release of a job's pool."""
        self.sagemaker.update_training_job(
            TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": 0}
        )

    def clean_up(self) -> None:
        """Leave nothing that runs or is billed."""
        for name in self.made:
            try:
                status = self.describe(name)
                if status["TrainingJobStatus"] not in TERMINAL:
                    self.sagemaker.stop_training_job(TrainingJobName=name)
                    status = self.finished(name)
                if status.get("WarmPoolStatus", {}).get("Status") == "Available":
                    self.release(name)
            except self.sagemaker.exceptions.ClientError:
                continue


def real_aws() -> Iterator[World]:
    """Yield the account that the environment names; skips nothing, so a missing variable is an error."""
    session = boto3.Session()
    clients: dict[str, Any] = {}

    def client(name: str) -> Any:
        config = Config(retries={"mode": "adaptive", "max_attempts": 10})
        return clients.setdefault(name, session.client(name, config=config))

    world = World(
        session,
        client,
        pause=lambda: time.sleep(15),
        patience=1800,
        role=os.environ["WPFSM_CONTRACT_ROLE"],
        image=os.environ["WPFSM_CONTRACT_IMAGE"],
        output=os.environ["WPFSM_CONTRACT_OUTPUT"],
    )
    yield world
    world.clean_up()
