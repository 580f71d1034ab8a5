"""Merges what the service said into the job row. Pure: readings in, rows out.

A member that is absent leaves what was known before; it never becomes zero or "gone".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wpfsm.fsm.records import JSON, POOL_OVER, Job

if TYPE_CHECKING:
    from wpfsm.fsm.ports import JobReading, PoolReading


def observe(job: Job, reading: JobReading, now: float) -> Job:
    """The job row after a reading."""
    merged = replace(
        job,
        arn=reading.arn or job.arn,
        status=reading.status or job.status,
        secondary_status=reading.secondary_status or job.secondary_status,
        failure_reason=reading.failure_reason or job.failure_reason,
        created_at=_known(reading.created_at, job.created_at),
        started_at=_known(reading.training_started_at, job.started_at),
        ended_at=_known(reading.ended_at, job.ended_at),
        training_seconds=_known(reading.training_seconds, job.training_seconds),
        billable_seconds=_known(reading.billable_seconds, job.billable_seconds),
        startup_seconds=_known(startup_seconds(reading), job.startup_seconds),
        upload_seconds=_known(upload_seconds(reading), job.upload_seconds),
        metrics={**job.metrics, **finite(reading.metrics)},
        transitions=tuple(
            {"status": t.status, "start": t.started_at, "end": t.ended_at, "message": t.message}
            for t in reading.transitions
        )
        or job.transitions,
        seen_at=now,
    )
    if merged.is_terminal and merged.ended_at is None:
        # The service may leave all times out of a failed job; then its end is when it was seen.
        merged = replace(merged, ended_at=now)
    return observe_pool(merged, reading.pool, now) if reading.pool else merged


def upload_seconds(reading: JobReading) -> float | None:
    """Seconds in the status Uploading; None until it has ended, or where the service does not tell."""
    spans = [(t.started_at, t.ended_at) for t in reading.transitions if t.status == "Uploading"]
    known = [end - start for start, end in spans if start is not None and end is not None]
    return sum(known) if known and len(known) == len(spans) else None


def observe_pool(job: Job, pool: PoolReading, now: float) -> Job:
    """The job row after WarmPoolStatus was read."""
    ended = job.pool_ended_at
    if pool.status in POOL_OVER and ended is None:
        # The service does not say when; the retained time is what it bills.
        ended = (
            job.ended_at + pool.retained_seconds
            if job.ended_at and pool.retained_seconds is not None
            else now
        )
    return replace(
        job,
        pool_status=pool.status,
        retained_seconds=_known(pool.retained_seconds, job.retained_seconds),
        reused_by=pool.reused_by or job.reused_by,
        pool_ended_at=ended,
    )


def without_pool(job: Job) -> Job:
    """The row of a job that is known to have left no pool: it idled for nothing, and that is final.

    One whose pool was seen Available has idled; for how long, the service did not say, and the estimate stands.
    """
    if job.pool_status == "Available":
        return job
    return replace(job, pool_status="", retained_seconds=0.0, pool_ended_at=job.ended_at)


def startup_seconds(reading: JobReading) -> float | None:
    """From the first ``Starting`` to ``Training``: the honest measure of a warm start."""
    starting = next((t.started_at for t in reading.transitions if t.status == "Starting"), None)
    training = next((t.started_at for t in reading.transitions if t.status == "Training"), None)
    return None if starting is None or training is None else max(0.0, training - starting)


def finite(metrics: Mapping[str, float]) -> dict[str, JSON]:
    """The metrics without NaN and infinities: those are null, never a number to compare."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def _known(new: float | None, old: float | None) -> float | None:
    return old if new is None else new
