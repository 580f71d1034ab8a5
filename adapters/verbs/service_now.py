"""What the service says of a loop's jobs at this moment: for `inspect --refresh`. Reads only; no row changes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wpfsm.adapters.terminal.output import Options
from wpfsm.fsm.records import JSON, POOL_OVER, Job, Loop
from wpfsm.fsm.units import stamp

if TYPE_CHECKING:
    from wpfsm.fsm.ports import JobReading


def service_now(given: Options, loop: Loop, jobs: Sequence[Job]) -> dict[str, JSON]:
    """Describe each job that may still change: one that has not ended, and one whose pool is not over.

    Raises:
        ServiceError: The service did not answer, or refused.
    """
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.aws.targets import target_of

    asked = _may_change(jobs)
    if not asked:
        return {"jobs": []}
    account = Account(target_of(loop.backend, loop.region, given.database, loop.endpoint_url))
    return {"jobs": [_said(job, account.describe(job.name)) for job in asked]}


def _may_change(jobs: Sequence[Job]) -> list[Job]:
    """Open jobs and open pools; the newest job always, for it is what a person asks about."""
    sent = [job for job in jobs if job.arn]
    return [
        job
        for job in sent
        if job is sent[-1] or not job.is_terminal or (job.keep_alive > 0 and job.pool_status not in POOL_OVER)
    ]


def _said(job: Job, reading: JobReading | None) -> dict[str, JSON]:
    """One answer beside what the database has."""
    if reading is None:
        return {"name": job.name, "known": False, "differs": ["the service does not know it"]}
    pool = reading.pool
    pairs = (
        ("status", job.status, reading.status),
        ("secondary_status", job.secondary_status, reading.secondary_status),
        ("pool_status", job.pool_status, pool.status if pool else ""),
    )
    return {
        "name": job.name,
        "known": True,
        "status": reading.status,
        "secondary_status": reading.secondary_status or None,
        "pool_status": pool.status if pool else None,
        "reused_by": pool.reused_by if pool else None,
        "retained_seconds": pool.retained_seconds if pool else None,
        "billable_seconds": reading.billable_seconds,
        "read_at": stamp(time.time()),
        "differs": [
            f"{what}: {had or 'none'} here, {says or 'none'} there"
            for what, had, says in pairs
            if had != says
        ],
    }


def service_text(document: Mapping[str, JSON]) -> str:
    """The answers for people, one line a job."""
    jobs = document["jobs"]
    if not isinstance(jobs, list) or not jobs:
        return "service   nothing to ask: no job was submitted"
    return "\n".join(_line(job) for job in jobs)


def _line(job: Mapping[str, JSON]) -> str:
    if not job["known"]:
        return f"service   {job['name']}: not known there"
    detail = f" ({job['secondary_status']})" if job["secondary_status"] not in (None, job["status"]) else ""
    pool = f", pool {job['pool_status']}" if job["pool_status"] else ", no pool"
    differs = job["differs"]
    note = f"; {'; '.join(str(each) for each in differs)}" if isinstance(differs, list) and differs else ""
    return f"service   {job['name']}: {job['status']}{detail}{pool}, read at {job['read_at']}{note}"
