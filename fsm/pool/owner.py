"""Which job owns the warm pool, and since when its instances run."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.fsm.records import Job


def chain_started_at(jobs: Sequence[Job], owner: Job) -> float | None:
    """When the cluster that ``owner`` ran on was first used; None when that is not known."""
    by_name = {job.name: job for job in jobs}
    first: Job | None = owner
    while first and first.reuse_of:
        first = by_name.get(first.reuse_of)
    return first.created_at if first else None


def pool_owner(jobs: Sequence[Job]) -> Job | None:
    """The newest job that may hold the pool."""
    for job in reversed(jobs):
        if job.may_hold_pool:
            return job
        if job.arn:
            return None
    return None
