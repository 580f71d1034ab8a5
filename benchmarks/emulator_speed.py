"""The emulator: jobs a second with a script that does nothing, requests a second, start-up, memory."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config
from common import CREDENTIALS, Result, emulator, request, rss_mb

JOBS, CALLS, MANY = 20, 400, 10_000


def measure() -> Result:
    """One emulator process, driven by boto3."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        began = time.perf_counter()
        with emulator(folder, "--cold-start", "0", "--warm-start", "0") as url:
            started = time.perf_counter() - began
            pid = json.loads((folder / "emulator" / "endpoint.json").read_text())["pid"]
            client = boto3.client(
                "sagemaker", endpoint_url=url, region_name="us-east-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"], aws_secret_access_key="none",
                config=Config(retries={"total_max_attempts": 1}, max_pool_connections=16),
            )  # fmt: skip
            idle = rss_mb(pid)
            took = [_one(client, f"job-{n}") for n in range(JOBS)]
            one = _rate(lambda: client.describe_training_job(TrainingJobName="job-0"), 1)
            eight = _rate(lambda: client.describe_training_job(TrainingJobName="job-0"), 8)
            listing = _latency(lambda: client.list_training_jobs(MaxResults=100))
            describing = _latency(lambda: client.describe_training_job(TrainingJobName="job-0"))
            loaded = rss_mb(pid)
        _grow(folder / "emulator" / "emulator.db", MANY)
        with emulator(folder) as url:
            client = boto3.client(
                "sagemaker", endpoint_url=url, region_name="us-east-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"], aws_secret_access_key="none",
            )  # fmt: skip
            listing_many = _latency(lambda: client.list_training_jobs(MaxResults=100))
            describing_many = _latency(lambda: client.describe_training_job(TrainingJobName="job-0"))
    took.sort()
    return Result(
        "The emulator",
        f"One process on loopback, boto3 as the client; {JOBS} warm jobs of the shell line `true`, {CALLS} "
        f"Describe calls; then the same table with {MANY:,} more jobs.",
        ["", ""],
        [
            ("start to listening", f"{started:.2f} s"),
            ("a job that does nothing, warm, accepted to terminal (median)", f"{took[JOBS // 2] * 1000:.0f} ms"),
            ("jobs a second, one after another", f"{JOBS / sum(took):.1f}"),
            ("Describe a second, 1 client / 8 clients", f"{one:.0f} / {eight:.0f}"),
            (f"Describe, {JOBS} jobs / {MANY:,} jobs (median)", f"{describing:.1f} / {describing_many:.1f} ms"),
            (f"List of 100, {JOBS} jobs / {MANY:,} jobs (median)", f"{listing:.1f} / {listing_many:.1f} ms"),
            ("memory, idle / after this", f"{idle:.0f} / {loaded:.0f} MB"),
        ],
        goal="listening within 2 s; under 0.3 s beyond the script's own time; Describe flat",
        met=started < 2 and took[JOBS // 2] < 0.3 and describing_many < 2 * describing,
        data={"start": started, "jobs": took, "describe_1": one, "describe_8": eight, "idle_mb": idle,
              "loaded_mb": loaded, "list_ms": [listing, listing_many], "describe_ms": [describing, describing_many]},
    )  # fmt: skip


def _one(client: object, name: str) -> float:
    made = request("true")
    made["ResourceConfig"] = {**made["ResourceConfig"], "KeepAlivePeriodInSeconds": 600}
    began = time.perf_counter()
    client.create_training_job(  # type: ignore[attr-defined]
        TrainingJobName=name, StoppingCondition={"MaxRuntimeInSeconds": 600}, **made
    )
    while client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":  # type: ignore[attr-defined]
        time.sleep(0.01)
    return time.perf_counter() - began


def _rate(call: object, clients: int) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda _: call(), range(CALLS)))  # type: ignore[operator]
    return CALLS / (time.perf_counter() - began)


def _latency(call: object) -> float:
    taken = []
    for _ in range(31):
        began = time.perf_counter()
        call()  # type: ignore[operator]
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[15]


def _grow(database: Path, count: int) -> None:
    """Copy one finished job under new names, straight into the table."""
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    row = dict(connection.execute("select * from jobs where name = 'job-1'").fetchone())
    names = [name for name in row if name != "id"]
    marks = ", ".join("?" * len(names))
    for number in range(count):
        copy = {
            key: value.replace("job-1", f"many-{number:05d}") if isinstance(value, str) else value
            for key, value in row.items()
        }
        connection.execute(
            f"insert into jobs ({', '.join(names)}) values ({marks})", [copy[n] for n in names]
        )
    connection.commit()
    connection.close()
