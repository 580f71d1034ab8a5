"""Seven jobs, 300 s of cold start, 120 s of training: wpfsm without a person in the gap, against cold jobs.

On the emulator's scaled clock (60 times faster than the wall's), so that an hour takes a minute. The peer
submits each job cold, 90 s after the one before ended: the time that a person, or a slow loop, takes.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import boto3
from common import CREDENTIALS, Result, emulator, loop_file, records, request, start_loop

from wpfsm.adapters.documents.rows import ledger_of
from wpfsm.state.history import History

JOBS, COLD, TRAIN, GAP, SCALE = 7, 300, 120, 90, 60
SCRIPT = f"sleep {TRAIN / SCALE}"
OPTIONS = ("--cold-start", str(COLD), "--warm-start", "0", "--time-scale", str(SCALE))


def measure() -> Result:
    """Both ways, and the ledger under both billing rules."""
    warm_wall, costs = _warm()
    cold_wall = _cold()
    ratio = cold_wall / warm_wall
    result = Result(
        "A loop of seven jobs",
        f"{COLD} s of cold start and {TRAIN} s of training on the emulator's clock, {SCALE} times faster than the "
        f"wall's. Cold: each job submitted {GAP} s after the one before. Dollars at $2.80 an hour, from the ledger "
        "of the warm loop; its cold side keeps the warm loop's own gaps.",
        ["", "wall", "cost, provisioning not billed", "cost, provisioning billed"],
        goal="at least 2.4 times faster wall-clock",
        met=ratio >= 2.4,
        data={"warm_wall": warm_wall, "cold_wall": cold_wall, "ratio": ratio, "costs": costs},
    )
    free, billed = costs["not billed"], costs["billed"]
    result.rows = [
        ("warm (wpfsm)", f"{warm_wall / 60:.1f} min", f"${free[0]:.2f}", f"${billed[0]:.2f}"),
        ("cold", f"{cold_wall / 60:.1f} min", f"${free[1]:.2f}", f"${billed[1]:.2f}"),
        ("cold / warm", f"{ratio:.2f}", f"{free[1] / free[0]:.2f}", f"{billed[1] / billed[0]:.2f}"),
    ]
    return result


def _warm() -> tuple[float, dict[str, tuple[float, float]]]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with emulator(folder, *OPTIONS) as url:
            document = start_loop(url, folder / "w.db", loop_file(folder, SCRIPT, JOBS))
            seen = records(url)["jobs"]
        connection = sqlite3.connect(folder / "w.db")
        connection.row_factory = sqlite3.Row
        history = History(connection)
        loop = history.find(document["loop"]["id"])
        jobs = history.jobs(loop.id)
        costs = {}
        for name, billed in (("not billed", False), ("billed", True)):
            file = json.loads(json.dumps(loop.loop_file)) | {"forecast": {"bill_provisioning": billed}}
            ledger = ledger_of(replace(loop, loop_file=file), jobs, time.time())
            assert ledger.cost_usd is not None
            assert ledger.cold.cost_usd is not None
            costs[name] = (ledger.cost_usd, ledger.cold.cost_usd)
        connection.close()
    return max(j["ended"] for j in seen) - min(j["created"] for j in seen), costs


def _cold() -> float:
    with tempfile.TemporaryDirectory() as scratch, emulator(Path(scratch), *OPTIONS) as url:
        client = boto3.client(
            "sagemaker", endpoint_url=url, region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"], aws_secret_access_key="none",
        )  # fmt: skip
        for number in range(JOBS):
            if number:
                time.sleep(GAP / SCALE)
            name = f"cold-{number}"
            client.create_training_job(
                TrainingJobName=name, StoppingCondition={"MaxRuntimeInSeconds": 1800}, **request(SCRIPT)
            )
            while client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
                time.sleep(0.02)
        seen = records(url)["jobs"]
    return max(j["ended"] for j in seen) - min(j["created"] for j in seen)
