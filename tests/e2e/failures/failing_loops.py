"""What the failure tests share: a project on disk, and the real program that runs its loops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

HERE = Path(__file__).parent
STUB_SDK = HERE / "stub_sdk"
EXAMPLES = HERE.parents[2] / "examples"
TRAINS = 'print("eval_loss=0.25")\n'
METRIC = {"name": "eval_loss", "goal": "minimize", "regex": "eval_loss=([0-9.eE+-]+)"}
PATIENCE = 120.0


@dataclass(frozen=True)
class Ran:
    """What a verb did.

    Attributes:
        code: Its exit code.
        document: The one JSON object on its stdout.
        said: Its stderr.
    """

    code: int
    document: Mapping[str, Any]
    said: str

    @property
    def jobs(self) -> Sequence[Mapping[str, Any]]:
        return self.document["jobs"]

    @property
    def loop(self) -> str:
        return self.document["loop"]["id"]

    @property
    def classes(self) -> list[str | None]:
        """The failure class of each job; None where it did not fail."""
        return [job["diagnosis"] and job["diagnosis"]["class"] for job in self.jobs]

    @property
    def patches(self) -> list[str]:
        """What each patched job's patch says."""
        return [job["patch"]["summary"] for job in self.jobs if job["patch"]]

    @property
    def starts(self) -> list[str | None]:
        return [job["start"] for job in self.jobs]


@dataclass
class Project:
    """A folder with a loop file and its source, and the account that runs it.

    Attributes:
        folder: Where the files are.
        emulator: The endpoint.
        variables: Of the program's environment, over the tests' own.
    """

    folder: Path
    emulator: SageMakerEmulator
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        return self.folder / "src"

    def write(self, source: Mapping[str, str], **loop_file: Any) -> Path:
        """Write the source and a loop file; what is not given is a single job without a smoke trial."""
        for name, text in source.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        job = {"source": "src/", "entry": "train.py", "image": "train:1", "max_runtime": "10m"}
        pool = {
            "role": f"arn:aws:iam::{self.emulator.account}:role/Train",
            "instance_type": "ml.g5.xlarge",
            "keep_alive": "10m",
            "price_per_hour": 1.5,
        }
        whole = {
            "version": 1,
            "name": "failing",
            "backend": "aws",
            "metric": METRIC,
            "strategy": {"type": "fix"},
            **loop_file,
            "pool": pool | loop_file.get("pool", {}),
            "job": job | loop_file.get("job", {}),
        }
        path = self.folder / "loop.yaml"
        path.write_text(json.dumps(whole))  # JSON is YAML
        return path

    def wpfsm(self, *words: str) -> Ran:
        """Run the program to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "wpfsm.cli", *words, "-o", "json"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={
                **os.environ,
                **self.emulator.environment,
                "WPFSM_DB": str(self.folder / "wpfsm.db"),
                **self.variables,
            },
            timeout=PATIENCE,
            check=False,
        )
        document = json.loads(done.stdout) if done.stdout.strip() else {}
        return Ran(done.returncode, document, done.stderr)

    def start(self, *words: str) -> Ran:
        return self.wpfsm("start", "loop.yaml", *words)

    def inspect(self, loop: str, *words: str) -> Ran:
        return self.wpfsm("inspect", loop, *words)

    def events(self, loop: str) -> list[Mapping[str, Any]]:
        """The history of a loop."""
        return self.inspect(loop, "--events").document["events"]

    def pool_status(self, job: str) -> str | None:
        """What the service says of a job's pool."""
        answer = self.emulator.sagemaker.describe_training_job(TrainingJobName=job)
        return answer.get("WarmPoolStatus", {}).get("Status")


def assert_released(project: Project, ran: Ran) -> None:
    """By the loop's receipt and by the service's own word, nothing bills any more."""
    assert ran.document["receipt"]["released"] is True
    statuses = {project.pool_status(job["name"]) for job in ran.jobs if job["created_at"]}
    assert statuses <= {"Terminated", "Reused", None}, statuses
