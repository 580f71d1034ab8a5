"""What the benchmarks share: an emulator of their own, running programs, medians and tables."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wpfsm.adapters.emulator import launch

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
WPFSM = [PYTHON, "-m", "wpfsm.cli"]
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass
class Result:
    """One benchmark's table, and what it says about its goal."""

    title: str
    method: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    goal: str = ""
    met: bool | None = None
    data: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def emulator(folder: Path, *options: str) -> Iterator[str]:
    """An emulator process of this benchmark alone; its URL."""
    endpoint = launch.ensure(folder / "emulator", options=options)
    try:
        yield endpoint.url
    finally:
        launch.stop(folder / "emulator")


def records(url: str) -> dict[str, Any]:
    """The emulator's own records: jobs with their times, and calls by operation."""
    answer: Any = launch.ask(url, "GET", "records")
    return dict(answer)


def environment(url: str) -> dict[str, str]:
    """A process environment that reaches one endpoint and nothing else of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **CREDENTIALS, "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}


def start_loop(url: str, database: Path, file: Path, *words: str) -> dict[str, Any]:
    """Run a loop to its end with the real program; its document."""
    done = subprocess.run(
        [*WPFSM, "start", str(file), "--db", str(database), "-o", "json", *words],
        capture_output=True, text=True, env=environment(url), check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"wpfsm start ended with {done.returncode}: {done.stderr[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def gaps(jobs: Sequence[dict[str, Any]]) -> list[float]:
    """Seconds from the service's end of each job to its acceptance of the next, by the service's clock."""
    ordered = sorted(jobs, key=lambda job: job["created"])
    return [after["created"] - before["ended"] for before, after in itertools.pairwise(ordered)]


def wall(words: Sequence[str], runs: int = 9, **extra: str) -> float:
    """Median wall seconds of a command, one warm-up run first."""
    taken = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run(words, capture_output=True, env={**os.environ, **extra}, check=False)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def rss_mb(pid: int | str = "self") -> float:
    """Resident memory of a process in MB (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def request(script: str) -> dict[str, Any]:
    """A CreateTrainingJob request that runs a line of shell, without the SDK."""
    return {
        "AlgorithmSpecification": {
            "TrainingImage": "wpfsm.local/python:plain", "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh"], "ContainerArguments": ["-c", script],
        },
        "RoleArn": "arn:aws:iam::123456789012:role/Train",
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {"InstanceType": "ml.g6e.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
    }  # fmt: skip


def loop_file(folder: Path, script: str, values: int, extra: str = "") -> Path:
    """A sweep over ``values`` trials of a shell line."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.json").write_text(json.dumps(request(script)))
    file = folder / "loop.yaml"
    file.write_text(
        "version: 1\nname: bench\n"
        "pool: {instance_type: ml.g6e.2xlarge, keep_alive: 10m, price_per_hour: 2.80}\n"
        "job: {request: request.json, max_runtime: 30m}\n"
        f"strategy: {{type: sweep, method: grid, parameters: {{n: {list(range(values))}}}}}\n{extra}"
    )
    return file
