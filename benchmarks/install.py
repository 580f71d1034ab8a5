"""From a container's start to the script's first line, with what a job installs: kept by the pool, and not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import boto3
from common import CREDENTIALS, Result, emulator, start_loop

PINNED = {"scikit-learn": "1.7.1", "pandas": "2.3.2", "matplotlib": "3.10.6", "transformers": "4.56.1"}
BUMPED = {**PINNED, "transformers": "4.56.2"}
SCRIPT = 'print("first line of the script", flush=True)\n'
JOBS = ("job 1, empty caches", "job 2, the same requirements", "job 3, one pin bumped")


def measure() -> Result:
    """Three jobs on one pool of the emulator, through the SageMaker SDK's own driver; once each way."""
    with tempfile.TemporaryDirectory() as scratch:
        cached, plain = (seconds_of(Path(scratch, how), how) for how in ("cached", "plain"))
    ratios = [there / here for here, there in zip(cached, plain, strict=True)]
    rows = [
        (job, f"{here:.1f}", f"{there:.1f}", f"{ratio:.1f}")
        for job, here, there, ratio in zip(JOBS, cached, plain, ratios, strict=True)
    ]
    return Result(
        "From a container's start to the script's first line",
        "scikit-learn, pandas, matplotlib and transformers, pinned; three jobs on one pool of the emulator, run by the "
        "SDK's own driver with the package index of this machine. `plain` keeps pip's cache of wheels between the jobs, "
        "as every warm pool of wpfsm does.",
        ["seconds", "`install: cached`", "`install: plain`", "ratio"],
        rows,
        goal="job 2 at least 10 times shorter and within 2 s, job 3 at least 3 times shorter",
        met=ratios[1] >= 10 and cached[1] <= 2 and ratios[2] >= 3,
        data={"cached": cached, "plain": plain},
    )


def seconds_of(folder: Path, how: str) -> list[float]:
    """Run the three jobs; what each took from its log's first line to the script's."""
    for name, pins in {"src": PINNED, "bumped": BUMPED}.items():
        source = folder / name
        source.mkdir(parents=True)
        (source / "train.py").write_text(SCRIPT)
        (source / "requirements.txt").write_text("".join(f"{n}=={v}\n" for n, v in pins.items()))
    recipes = "[{name: first}, {name: second}, {name: third, source: bumped/}]"
    file = folder / "loop.yaml"
    file.write_text(
        "version: 1\nname: install\n"
        "pool: {instance_type: ml.g6e.2xlarge, keep_alive: 10m, price_per_hour: 2.80}\n"
        f"job: {{source: src/, entry: train.py, install: {how}, max_runtime: 30m}}\n"
        f"checks: {{ignore: [requirements]}}\nstrategy: {{type: recipes, recipes: {recipes}}}\n"
    )
    with emulator(folder, "--cold-start", "0", "--warm-start", "0") as url:
        document = start_loop(url, folder / "w.db", file)
        return [_first_line(url, job["name"]) for job in document["jobs"]]


def _first_line(url: str, job: str) -> float:
    logs = boto3.client(
        "logs", endpoint_url=url, region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    group = "/aws/sagemaker/TrainingJobs"
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"][0]
    events: Sequence[dict[str, object]] = logs.get_log_events(
        logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    began = float(str(events[0]["timestamp"]))
    ended = next(
        float(str(e["timestamp"])) for e in events if str(e["message"]).startswith("first line of the script")
    )
    return (ended - began) / 1000
