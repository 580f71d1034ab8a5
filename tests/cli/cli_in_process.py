"""The program in this process, against the emulator of a test: for verbs that read an account."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from watched_world import TYPE

from wpfsm.adapters.emulator.launch import ask
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.cli import cli

BRIEF = """\
version: 1
name: brief
pool: {instance_type: ml.g6e.2xlarge, keep_alive: 10m, price_per_hour: 2.80}
job: {source: src, entry: train.py, max_runtime: 45m, hyperparameters: {epochs: 3}}
strategy: {type: sweep, method: grid, parameters: {lr: [1, 2, 3, 4, 5, 6, 7]}}
forecast: {cold_start: 300s, warm_start: 0s, train: 120s, gap: 90s, bill_provisioning: true}
"""


@dataclass(frozen=True)
class Ran:
    """What the program left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def wpfsm(*words: str) -> Ran:
    result = CliRunner().invoke(cli, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def written(folder: Path, text: str = BRIEF) -> str:
    file = folder / "loop.yaml"
    file.write_text(text)
    return str(file)


def verdicts(ran: Ran) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in ran.document["checks"]}


def set_quota(emulator: SageMakerEmulator, name: str, value: int) -> None:
    scope = f"AWS4-HMAC-SHA256 Credential={emulator.account}/20000101/us-east-1/sagemaker/aws4_request"
    ask(emulator.url, "POST", "quotas", {"quota": name, "value": value}, headers={"Authorization": scope})


def make_pool(emulator: SageMakerEmulator, name: str, does: str = "true", **changes: Any) -> None:
    """A finished job that leaves a pool, or with ``sleep`` one that runs on."""
    emulator.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/Train",
        AlgorithmSpecification={
            "TrainingImage": "image", "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c"], "ContainerArguments": [does],
        },
        OutputDataConfig={"S3OutputPath": f"s3://{emulator.bucket}/out"},
        ResourceConfig={"InstanceType": TYPE, "InstanceCount": 2, "VolumeSizeInGB": 10,
                        "KeepAlivePeriodInSeconds": 600},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        **changes,
    )  # fmt: skip
    wanted = "Available" if does == "true" else "InUse"
    deadline = time.monotonic() + 30
    while pool_of(emulator, name) != wanted:
        assert time.monotonic() < deadline


def pool_of(emulator: SageMakerEmulator, name: str) -> str | None:
    answer = emulator.sagemaker.describe_training_job(TrainingJobName=name)
    status: str | None = answer.get("WarmPoolStatus", {}).get("Status")
    return status
