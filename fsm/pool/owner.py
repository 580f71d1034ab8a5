"""Which job owns the warm pool, and since when its instances run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wpfsm.fsm.records import POOL_OVER, TERMINAL, Job


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


def as_reused(jobs: Sequence[Job]) -> list[Job]:
    """The jobs of a group, each pool over that a later job is known to have taken.

    The lane of the later job knows it first, and only the lane of the earlier one writes that row.
    """
    takers = {job.reuse_of: job for job in jobs if job.reuse_of}
    return [
        replace(job, pool_status="Reused", reused_by=taker.name, pool_ended_at=taker.created_at)
        if (taker := takers.get(job.name)) and job.pool_status not in POOL_OVER
        else job
        for job in jobs
    ]


def strays(jobs: Sequence[Job]) -> list[Job]:
    """Pools that their own lane has left behind, because the service ran its next job on a sibling's pool.

    Args:
        jobs: Every job of the group, as :func:`as_reused` shows them.
    """
    newest = _newest(jobs)
    claimed = {job.claims for job in _undecided(jobs)}
    return [
        job
        for job in jobs
        if job.may_hold_pool and job.is_terminal and job is not newest[job.lane] and job.name not in claimed
    ]


def floating_claims(jobs: Sequence[Job]) -> list[Job]:
    """Jobs under way whose claimed pool a sibling's job has taken: the service has another one for them."""
    over = {job.name for job in jobs if job.pool_status in POOL_OVER}
    return [job for job in _undecided(jobs) if job.claims in over]


def lacks_a_pool(jobs: Sequence[Job], lane: int) -> bool:
    """Whether a lane is between two jobs and its pool is over: it will take one that was left behind."""
    newest = _newest(jobs).get(lane)
    waits = not any(job.lane == lane for job in _undecided(jobs))
    return waits and newest is not None and newest.is_terminal and newest.pool_status in POOL_OVER


def _newest(jobs: Sequence[Job]) -> Mapping[int, Job]:
    return {job.lane: job for job in jobs if job.arn}


def _undecided(jobs: Sequence[Job]) -> list[Job]:
    """Jobs that are made, or about to be, and of which it is not known on which pool they run."""
    return [
        job
        for job in jobs
        if job.claims and job.start is None and job.status not in TERMINAL and job.status != "Rejected"
    ]
