"""Holds the pool while somebody is waited for, and bounds what that costs.

The pool's keep-alive is set to the announced hold, so that the service itself lets the pool go when nobody returns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wpfsm.fsm.context import Context
from wpfsm.fsm.pool.keep_alive import cap
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.records import Job
from wpfsm.fsm.records.handoff import HeldPool
from wpfsm.fsm.steps.observe_job import observe
from wpfsm.fsm.steps.service_writes import set_keep_alive
from wpfsm.fsm.units import duration, stamp


@dataclass(frozen=True)
class Hold:
    """How long the pool stays while somebody mends; None throughout when there is no pool.

    Attributes:
        until: Up to then it is there (unless the service takes it away).
        gone_by: From then on it is gone. Whether the service counts an updated keep-alive from the pool's start
            or from the update is not documented: counted from the start it ends ``until``, else ``gone_by``.
        usd_per_hour: What it costs meanwhile; None when the price is not known.
        usd_at_most: What holding it costs in all, at most.
    """

    until: float | None = None
    gone_by: float | None = None
    usd_per_hour: float | None = None
    usd_at_most: float | None = None

    def shown(self) -> HeldPool:
        """As the hand-off says it, with moments that a person reads."""
        return HeldPool(stamp(self.until), stamp(self.gone_by), self.usd_per_hour, self.usd_at_most)


def cap_hold(ctx: Context, seconds: float) -> Hold:
    """Set the keep-alive so that the service itself ends the pool when nobody comes back in time.

    It is held for as long as asked, or as ``limits.max_cost`` admits.
    """
    owner = pool_owner(ctx.jobs())
    if owner is None or owner.ended_at is None:
        return _hold_of_a_siblings(ctx, ctx.store.last_job(), seconds)
    while owner.pool_status != "Available":
        reading = ctx.gateway.describe(owner.name)
        if reading:
            owner = observe(owner, reading, ctx.clock.now())
        if not owner.may_hold_pool:
            return _hold_of_a_siblings(ctx, owner, seconds)
        if owner.pool_status != "Available":
            what = f"the pool of {owner.name} to be reported"
            if ctx.clock.now() - ctx.since(what) > ctx.pace.grace:
                return Hold()
            ctx.wait(ctx.pace.least, what)
    assert owner.ended_at is not None, "an Available pool's job has ended"
    now = ctx.clock.now()
    longest = cap(allow_long=ctx.file.pool.allow_long_keep_alive)
    # Counted from the pool's start, it must cover the time that has passed.
    idled = max(0.0, now - owner.ended_at)
    keep_alive = max(1, math.floor(min(longest, idled + seconds, ctx.idle_within_limits())))
    updated = keep_alive != owner.keep_alive
    if updated and not set_keep_alive(
        ctx, owner, keep_alive, f"held for {duration(keep_alive - idled)} while it is mended"
    ):
        return _hold_of_a_siblings(ctx, owner, seconds)
    until = owner.ended_at + keep_alive
    return _priced(ctx, now, until, max(until, now + keep_alive) if updated else until)


def _priced(ctx: Context, now: float, until: float, gone_by: float) -> Hold:
    rate = ctx.price.usd_per_hour * ctx.file.pool.instance_count if ctx.price else None
    return Hold(until, gone_by, rate, None if rate is None else round(rate * (gone_by - now) / 3600, 4))


def _hold_of_a_siblings(ctx: Context, job: Job | None, seconds: float) -> Hold:
    """A job of the group took this lane's pool over: the one that is left for it is held as long, by its own lane."""
    if job is None or not ctx.loop.lane:
        return Hold()
    if not job.reused_by and (reading := ctx.gateway.describe(job.name)):
        job = observe(job, reading, ctx.clock.now())
    if not any(each.name == job.reused_by for each in ctx.group_jobs()):
        return Hold()
    longest = cap(allow_long=ctx.file.pool.allow_long_keep_alive)
    held = max(1, math.floor(min(longest, seconds, ctx.idle_within_limits())))
    now = ctx.clock.now()
    return _priced(ctx, now, now + held, now + held)
