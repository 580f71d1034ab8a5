"""Decide whether a job started warm or cold, and close the account of the job whose pool it took over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.pool.owner import as_reused
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import JSON, POOL_OVER, Job, Obligation
from wpfsm.fsm.request.lock import LockedFields
from wpfsm.fsm.steps.explain_pool_loss import (
    cold_start_cost,
    cold_start_text,
    explain_pool_loss,
    released_outside,
)
from wpfsm.fsm.steps.obligations import discharge
from wpfsm.fsm.steps.observe_job import observe
from wpfsm.fsm.steps.service_writes import set_keep_alive
from wpfsm.fsm.units import duration

WARM_START_SECONDS = 60.0
"""Where the service does not name the reuse, a start below this and below half of the coldest one is warm.
The developer guide speaks of seconds; measured cold starts are minutes (warm pool reports: 85 to 180 s)."""

NEWEST = 200
"""How many of the newest reused pools are searched (two pages; listing is slow)."""


def decide_start(ctx: Context, job: Job) -> Job:
    """Decide warm or cold for ``job`` and discharge what it took over. Idempotent, one read a job."""
    if job.start:
        return job
    if job.lane:
        return _decide_in_group(ctx, job)
    previous = _owner_before(ctx, job)
    if previous is None:
        return _without_predecessor(ctx, job)
    reading = ctx.gateway.describe(previous.name)
    if reading is None or reading.pool is None:
        return _decide_from_time(ctx, job)
    observed = observe(previous, reading, ctx.clock.now())
    if observed.pool_status == "Reused":
        return _after_reuse(ctx, job, observed)
    if observed.pool_status == "Terminated":
        loss = explain_pool_loss(ctx, observed, reading)
        return _decide(ctx, job, "", f"pool lost: {loss.text}", observed, loss.to_json())
    if observed.pool_status == "Available":
        return _unmatched(ctx, job, observed, released_outside(ctx, observed, reading))
    return _decide_from_time(ctx, job, observed)


def _decide_in_group(ctx: Context, job: Job) -> Job:
    """Which pool of the group the service gave to this job: the claimed one, or any other that was idle.

    Another one than was claimed is no loss: the claimed pool stays for the sibling whose pool this job has taken.
    """
    jobs = ctx.store.group_jobs()
    by_name = {j.name: j for j in jobs}
    claimed = _read(ctx, by_name[job.claims]) if job.claims else None
    if claimed and claimed.reused_by == job.name:
        return _decide(ctx, job, claimed.name, f"{claimed.name} was reused by {job.name}", _own(job, claimed))
    contested: dict[str, JSON] = {}
    if claimed and claimed.pool_status == "Reused" and claimed.reused_by not in (*by_name, ""):
        contested = {"cause": "contested", "reused_by": claimed.reused_by, "pool": claimed.name}
        said = f"; contested: {claimed.reused_by} took over the pool of {claimed.name}, which it had claimed"
    else:
        said = f", not {claimed.name}, which it had claimed" if claimed else ""
    if taken := _taken(ctx, job, jobs):
        own = _own(job, taken) or (_own(job, claimed) if contested and claimed else None)
        return _decide(ctx, job, taken.name, f"{taken.name} was reused by {job.name}{said}", own, contested)
    if claimed is None:
        return _without_predecessor(ctx, job)
    if contested:
        return _decide(ctx, job, "", said.removeprefix("; "), _own(job, claimed), contested)
    own = _own(job, claimed)
    if own and own.pool_status == "Terminated":
        loss = explain_pool_loss(ctx, own, ctx.gateway.describe(own.name))
        return _decide(ctx, job, "", f"pool lost: {loss.text}", own, loss.to_json())
    decided = _decide_from_time(ctx, job, own)
    if decided.start == "cold" and own and own.pool_status == "Available":
        set_keep_alive(ctx, own, 0, f"{job.name} did not match it")
    return decided


def _taken(ctx: Context, job: Job, jobs: Sequence[Job]) -> Job | None:
    """The job of the group whose pool this one took over: as its own lane has read it, or as it is read now."""
    if told := next((j for j in jobs if j.reused_by == job.name), None):
        return told
    idle = [j for j in as_reused(jobs) if j.may_hold_pool and j.is_terminal and j.name != job.claims]
    read = (_read(ctx, j) for j in reversed(idle))
    return next((seen for seen in read if seen.reused_by == job.name), None)


def _read(ctx: Context, job: Job) -> Job:
    reading = ctx.gateway.describe(job.name)
    return observe(job, reading, ctx.clock.now()) if reading else job


def _own(job: Job, other: Job) -> Job | None:
    """Another job, where this lane may write its row."""
    return other if other.lane == job.lane else None


def _without_predecessor(ctx: Context, job: Job) -> Job:
    """No pool of this loop was there: cold, unless a start that quick was on a pool that somebody else had left."""
    if job.startup_seconds is None and not job.is_terminal:
        return job
    if job.startup_seconds is not None and job.startup_seconds < WARM_START_SECONDS:
        for other in ctx.gateway.reused_pools(NEWEST):
            if other.pool and other.pool.reused_by == job.name:
                return _decide(
                    ctx, job, other.name, f"{other.name}, a job of somebody else's, was reused by {job.name}"
                )
    return _decide(ctx, job, "", "no pool was there")


def _owner_before(ctx: Context, job: Job) -> Job | None:
    """The job whose pool this one could take; None when that pool was over, and explained, before."""
    owed = {obligation.job_name for obligation in ctx.store.obligations()}
    for number in range(job.number - 1, 0, -1):
        candidate = ctx.store.job(number)
        if candidate and candidate.arn and candidate.keep_alive > 0:
            over = candidate.pool_status in POOL_OVER and candidate.name not in owed
            return None if over else candidate
    return None


def _after_reuse(ctx: Context, job: Job, previous: Job) -> Job:
    if previous.reused_by == job.name:
        return _decide(ctx, job, previous.name, f"{previous.name} was reused by {job.name}", previous)
    if not previous.reused_by:
        # Reused, and the service does not say by whom: that may have been a stranger.
        return _decide_from_time(ctx, job, previous)
    why = f"contested: {previous.reused_by} took over the pool of {previous.name}"
    return _decide(ctx, job, "", why, previous, {"cause": "contested", "reused_by": previous.reused_by})


def _unmatched(ctx: Context, job: Job, previous: Job, leaving: str) -> Job:
    """The service started this job elsewhere: that pool idles, bills and holds quota for nobody.

    ``leaving`` says why it was no match for any job, where somebody else had released it.
    """
    if not set_keep_alive(ctx, previous, 0, f"{job.name} did not match it"):
        # Not Available after all: the reading was late, and the start itself has to tell.
        return _decide_from_time(ctx, job, previous)
    field, difference = ("", "") if leaving else _difference(ctx, ctx.gateway.describe(job.name))
    why = leaving or f"{job.name} did not match the pool of {previous.name}: {difference}"
    ctx.ports.notifier.notify("pool_lost", ctx.loop, why)
    seconds, dollars = cold_start_cost(ctx)
    data: dict[str, JSON] = {
        "cause": "released_outside" if leaving else "unmatched",
        "field": field,
        "cold_start_seconds": seconds,
        "cold_start_usd": dollars,
    }
    return _decide(
        ctx,
        job,
        "",
        f"{why}; that pool was asked to be released{cold_start_text(seconds, dollars)}",
        previous,
        data,
    )


def _difference(ctx: Context, reading: JobReading | None) -> tuple[str, str]:
    """The locked field that the service shows otherwise than the lock, and what is to be said of it."""
    nothing = "no field that Describe shows differs from the lock; session tags, which it does not show, may"
    if reading is None or ctx.loop.lock is None:
        return "", nothing
    lock = ctx.loop.lock
    # Describe shows no session chaining, so that field proves nothing.
    shown = replace(LockedFields.of(reading.request), session_tag_keys=lock.session_tag_keys)
    found = lock.differences(shown)
    if not found:
        return "", nothing
    said = "; ".join(str(difference) for difference in found)
    return found[0].field, (
        f"the service shows {said}. wpfsm asked for the locked value, so something between it and the service "
        "(a default of the SDK or the organisation, a botocore plugin, a proxy) changed the request"
    )


def _decide_from_time(ctx: Context, job: Job, previous: Job | None = None) -> Job:
    """No word on reuse: the measured start decides, and stays open while there is none."""
    startup = job.startup_seconds
    if startup is None:
        return job
    cold = [
        j.startup_seconds for j in ctx.group_jobs() if j.start == "cold" and j.startup_seconds is not None
    ]
    warm = startup < WARM_START_SECONDS and bool(cold) and startup < max(cold) / 2
    start: Literal["cold", "warm"] = "warm" if warm else "cold"
    decided = replace(job, start=start, reuse_of=previous.name if warm and previous else "")
    why = (
        f"{job.name} started {start}: the service did not name a reuse, and it started in {duration(startup)}"
    )
    ctx.record(
        "settled",
        why,
        jobs=(decided, *((previous,) if previous else ())),
        data={"job": job.name, "start": start, "startup_seconds": startup},
    )
    return decided


def _decide(
    ctx: Context,
    job: Job,
    reuse_of: str,
    why: str,
    previous: Job | None = None,
    data: Mapping[str, JSON] | None = None,
) -> Job:
    decided = replace(job, start="warm" if reuse_of else "cold", reuse_of=reuse_of)
    rows = (decided, previous) if previous else (decided,)
    ctx.record(
        "settled",
        f"{job.name} started {decided.start}: {why}",
        jobs=rows,
        obligations=_discharged(ctx, previous) if previous and previous.pool_status in POOL_OVER else (),
        data={
            "job": job.name,
            "start": str(decided.start),
            "startup_seconds": job.startup_seconds,
            **(data or {}),
        },
    )
    return decided


def _discharged(ctx: Context, previous: Job) -> tuple[Obligation, ...]:
    by = f" by {previous.reused_by}" if previous.reused_by else ""
    return discharge(ctx, previous.name, f"Describe says {previous.pool_status}{by}")
