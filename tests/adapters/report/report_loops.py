"""Loops of every kind as rows of a database, for the pages that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wpfsm.fsm.failures.model import Diagnosis, Family, Location
from wpfsm.fsm.records import (
    JSON,
    Change,
    Job,
    JobPatch,
    Loop,
    Obligation,
    Outcome,
    Owner,
    Price,
    Receipt,
    State,
    Trial,
)
from wpfsm.state.database import create_or_open
from wpfsm.state.store import LoopStore, create_loop, take_over

BEGAN = 1_760_000_000.0
LOOP_FILE: dict[str, JSON] = {
    "version": 1,
    "name": "made",
    "pool": {"instance_type": "ml.g6e.2xlarge", "instance_count": 1, "keep_alive": "10m"},
    "job": {"source": "src", "entry": "train.py", "max_runtime": "45m"},
    "metric": {"name": "eval_loss", "goal": "minimize", "regex": "eval_loss=([0-9.]+)"},
    "strategy": {"type": "sweep", "method": "grid", "parameters": {"lr": [1e-4]}},
}


@dataclass(frozen=True)
class Made:
    """One job of a made-up loop.

    Attributes:
        params: Its parameters.
        metric: What it reached; None when it reached nothing.
        failed: The class of its failure; empty for a success.
        evidence: Lines of its log that explain the failure.
        training: Seconds.
        gap: Idle seconds of the pool after it.
        patch: What was done about the failure.
        label: Its trial's label.
    """

    params: dict[str, JSON]
    metric: float | None = None
    failed: str = ""
    evidence: Sequence[str] = ()
    training: float = 120.0
    gap: float = 20.0
    patch: JobPatch | None = None
    label: str = ""


def write_loop(
    database: Path,
    made: Sequence[Made],
    *,
    loop_id: str = "made-00c0de",
    loop_file: dict[str, JSON] | None = None,
    outcome: Outcome | None = Outcome.COMPLETED,
    price: float | None = 2.8,
    why: str = "as told",
    endpoint_url: str = "",
) -> Loop:
    """Write a loop that has run these jobs on one pool; without an outcome it still runs the last of them."""
    price_row = Price(price, "loop file", "2026-01-01", "us-east-1", "ml.g6e.2xlarge") if price else None
    loop = Loop(
        id=loop_id, name="made", state=State.PREFLIGHT, backend="local", region="us-east-1", created_at=BEGAN,
        updated_at=BEGAN, loop_file=loop_file or LOOP_FILE, loop_path="/nowhere/loop.yaml", account="123456789012",
        price=price_row, endpoint_url=endpoint_url,
    )  # fmt: skip
    connection = create_or_open(database)
    create_loop(connection, database, loop, "from loop.yaml")
    epoch = take_over(connection, database, loop.id, Owner("host", 1, BEGAN, BEGAN))
    store = LoopStore(connection, database, loop.id, epoch)
    jobs, trials = _rows(loop, made, closed=outcome is not None)
    obligations = tuple(
        Obligation(
            loop.id, job.name, "123456789012", "us-east-1", "", job.created_at or BEGAN,
            status="discharged" if outcome else "owed", evidence=f"Describe says {job.pool_status}",
            discharged_at=job.pool_ended_at,
        )
        for job in jobs
    )  # fmt: skip
    end = max((job.pool_ended_at or BEGAN for job in jobs), default=BEGAN + 5)
    closing: dict[str, object] = (
        {
            "outcome": outcome,
            "closed_at": end + 3,
            "receipt": Receipt(end + 3, "123456789012", "us-east-1", "", ()),
        }
        if outcome
        else {}
    )
    for number, job in enumerate(jobs):
        store.commit(
            Change("submitted", f"{job.name} accepted", jobs=(job,), trials=(trials[number],), at=BEGAN)
        )
    store.commit(
        Change(
            "released",
            why,
            loop={"why": why, "keep_alive": 600.0, **closing},
            obligations=obligations,
            at=end,
        ),
        state=State.CLOSED if outcome else State.RUNNING,
    )
    row = store.loop()
    connection.close()
    return row


def _rows(loop: Loop, made: Sequence[Made], *, closed: bool) -> tuple[list[Job], list[Trial]]:
    at = BEGAN + 4
    jobs: list[Job] = []
    trials: list[Trial] = []
    for number, one in enumerate(made, start=1):
        startup = 290.0 if number == 1 else 7.0
        ended = at + startup + one.training
        last = number == len(made)
        running = last and not closed
        name = f"{loop.id}-{number:03d}"
        label = one.label or " ".join(f"{k}={v}" for k, v in one.params.items())
        trials.append(
            Trial(
                loop.id, number, one.params, label, metric=one.metric,
                state="running" if running else "failed" if one.failed else "completed",
            )
        )  # fmt: skip
        job = Job(
            loop_id=loop.id, number=number, trial=number, name=name, params=one.params, request={},
            request_digest="0" * 16, source_digest="abcdef0123456789", keep_alive=600.0, max_runtime=2700.0,
            arn=f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
            status="InProgress" if running else "Failed" if one.failed else "Completed",
            secondary_status="Training" if running else "Failed" if one.failed else "Completed",
            created_at=at, started_at=at + startup, startup_seconds=startup,
            start="cold" if number == 1 else "warm", reuse_of=jobs[-1].name if jobs else "",
            metrics={"eval_loss": one.metric} if one.metric is not None else {},
        )  # fmt: skip
        if not running:
            job = replace(
                job, ended_at=ended, training_seconds=one.training, billable_seconds=one.training,
                retained_seconds=one.gap, pool_ended_at=ended + one.gap,
                pool_status="Terminated" if last else "Reused",
                reused_by="" if last else f"{loop.id}-{number + 1:03d}",
            )  # fmt: skip
        if one.failed:
            diagnosis = Diagnosis(
                Family.SCRIPT,
                one.failed,
                0.93,
                tuple(one.evidence),
                Location("train.py", 12, "main"),
                "f" * 12,
                "correct it",
                "you",
            )
            job = replace(
                job, diagnosis=diagnosis, failure_reason="AlgorithmError: exit code 1", patch=one.patch
            )
        jobs.append(job)
        at = ended + one.gap
    return jobs, trials
