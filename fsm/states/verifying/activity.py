"""Verifying: reads WarmPoolStatus of the pool's owner until it is decided.

Available: the next job will match. InUse: not yet. Reused: by whom? Terminated: why, and what does the cold
start cost? Absent: the service is sometimes late, so a grace period, then the pool counts as lost.
"""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.pool.keep_alive import chain_remaining
from wpfsm.fsm.pool.owner import chain_started_at, pool_owner, strays
from wpfsm.fsm.pool.read_back import proof
from wpfsm.fsm.records import JSON, POOL_OVER, Change, Job, Outcome
from wpfsm.fsm.steps.explain_pool_loss import PoolLoss, cold_start_cost, cold_start_text, explain_pool_loss
from wpfsm.fsm.steps.obligations import discharge
from wpfsm.fsm.steps.observe_job import observe
from wpfsm.fsm.steps.open_question import at_limit
from wpfsm.fsm.steps.service_writes import was_let_go
from wpfsm.fsm.units import DAY, duration

_UNDER_WAY = frozenset({"InUse", "Available"})
"""Statuses that another one follows: a job that has ended lets go of its pool, a release is carried out."""
FRESH_SECONDS = 2.0
"""The read that showed the job's end often shows its pool too; this recent, it need not be read again."""


def run(ctx: Context) -> Change:
    """Wait for the pool's status and say what it means."""
    owner = pool_owner(ctx.jobs()) or _unexplained(ctx)
    if owner is None:
        return _left_behind(ctx) or _verified("no pool to keep: the next job starts cold")
    # Where this loop has released the pool itself, Available only means "not yet".
    let_go = was_let_go(ctx, owner.name)
    if (
        not let_go
        and owner.pool_status == "Available"
        and owner.seen_at
        and ctx.clock.now() - owner.seen_at < FRESH_SECONDS
    ):
        return _available(ctx, owner)
    while True:
        ctx.check_stop()
        if refusal := ctx.over_limit():
            return at_limit(ctx, refusal, let_go=let_go)
        reading = ctx.gateway.describe(owner.name)
        now = ctx.clock.now()
        status = reading.pool.status if reading and reading.pool else ""
        if reading:
            owner = observe(owner, reading, now)
        if status == "Available" and not let_go:
            return _available(ctx, owner)
        if status == "Reused":
            return _reused(ctx, owner)
        if status == "Terminated":
            return _lost(ctx, owner, explain_pool_loss(ctx, owner, reading))
        waited = now - ctx.since(f"the pool of {owner.name}")
        if status == "Available" and waited >= ctx.pace.release:
            return _available(ctx, owner)
        if waited >= (ctx.pace.release if status in _UNDER_WAY else ctx.pace.grace):
            return _absent(ctx, owner, explain_pool_loss(ctx, owner, reading))
        what = (
            f"the pool of {owner.name} is {status}" if status else f"the pool of {owner.name} to be reported"
        )
        ctx.wait(ctx.pace.least, what)


def _left_behind(ctx: Context, why: str = "", owner: Job | None = None) -> Change | None:
    """In a group: the idle pool that a sibling has left behind, which the next job takes instead of a cold start."""
    for stray in strays(ctx.group_jobs()) if ctx.loop.lane else ():
        reading = ctx.gateway.describe(stray.name)
        if reading and reading.pool and reading.pool.status == "Available":
            said = f"{why}; that of {stray.name}, which lane {stray.lane} left behind, is Available"
            return Change(
                kind="verified",
                why=said.removeprefix("; "),
                jobs=(owner,) if owner else (),
                data={"job": stray.name, "pool": "Available"},
            )
    return None


def _unexplained(ctx: Context) -> Job | None:
    """The newest job, when its pool was over as soon as it was seen: still owed, so nobody has said why."""
    newest = next((job for job in reversed(ctx.jobs()) if job.arn), None)
    if newest is None or newest.pool_status not in POOL_OVER:
        return None
    owed = ctx.store.obligation(newest.name)
    return newest if owed and owed.status == "owed" else None


def _available(ctx: Context, owner: Job) -> Change:
    expires = owner.ended_at + owner.keep_alive if owner.ended_at else None
    data: dict[str, JSON] = {"job": owner.name, "pool": "Available", "expires_at": expires}
    why = f"the pool of {owner.name} is Available"
    left = _chain_left(ctx, owner)
    if left is not None and left < min(DAY, ctx.file.job.max_runtime + owner.keep_alive):
        data["chain_left_seconds"] = left
        why += (
            f"; warning: its cluster has {duration(left)} left of the 28 days for which a chain of jobs may use "
            f"it, less than one more job may need ({duration(ctx.file.job.max_runtime)} of job.max_runtime + "
            f"{duration(owner.keep_alive)} of keep-alive): expect a cold start"
        )
    return Change(kind="verified", why=why, data=data, jobs=(owner,))


def _chain_left(ctx: Context, owner: Job) -> float | None:
    started = chain_started_at(ctx.group_jobs(), owner)
    return None if started is None else chain_remaining(started, ctx.clock.now())


def _verified(why: str) -> Change:
    return Change(kind="verified", why=why, data={"pool": "none"})


def _reused(ctx: Context, owner: Job) -> Change:
    """Somebody's job runs on our pool. Ours would be newer than the owner; so it is a stranger's."""
    ours = next((job for job in ctx.group_jobs() if owner.reused_by and job.name == owner.reused_by), None)
    discharged = discharge(ctx, owner.name, proof("Reused", owner.reused_by or ""))
    if ours and ours.lane != ctx.loop.lane:
        moved = f"the pool of {owner.name} moved on to {ours.name} of lane {ours.lane}"
        cold = _verified(f"{moved}; the next job starts cold")
        found = _left_behind(ctx, moved, owner) or replace(cold, jobs=(owner,))
        return replace(found, obligations=discharged)
    if ours:
        return Change(
            kind="verified",
            why=f"the pool moved on to {owner.reused_by}",
            jobs=(owner,),
            obligations=discharged,
            data={"pool": "Reused"},
        )
    who = owner.reused_by or "a job that the service does not name"
    seconds, dollars = cold_start_cost(ctx)
    why = f"contested: {who} took over the pool of {owner.name}; it is theirs and was left alone"
    data: dict[str, JSON] = {
        "pool": "Reused",
        "job": owner.name,
        "cause": "contested",
        "reused_by": owner.reused_by,
        "cold_start_seconds": seconds,
        "cold_start_usd": dollars,
    }
    ctx.ports.notifier.notify("pool_lost", ctx.loop, why)
    if ctx.file.on_contested == "stop":
        stopped = release(Outcome.CONTESTED, f"{why}; the loop file says on_contested: stop")
        return replace(stopped, data={**stopped.data, **data}, jobs=(owner,), obligations=discharged)
    return Change(
        kind="verified",
        why=f"{why}; the next job starts cold{cold_start_text(seconds, dollars)}",
        data=data,
        jobs=(owner,),
        obligations=discharged,
    )


def _lost(ctx: Context, owner: Job, loss: PoolLoss) -> Change:
    discharged = discharge(ctx, owner.name, proof("Terminated"))
    ctx.ports.notifier.notify("pool_lost", ctx.loop, loss.text)
    return Change(
        kind="verified",
        why=f"pool lost: {loss.text}",
        data={"pool": "Terminated", "job": owner.name, **loss.to_json()},
        jobs=(owner,),
        obligations=discharged,
    )


def _absent(ctx: Context, owner: Job, loss: PoolLoss) -> Change:
    """No word within the grace period: go on cold. The obligation stays open; Releasing settles it."""
    why = f"the service reports no pool for {owner.name} within {duration(ctx.pace.grace)}: {loss.text}"
    ctx.ports.notifier.notify("pool_lost", ctx.loop, why)
    return Change(
        kind="verified",
        why=why,
        data={"pool": "absent", "job": owner.name, **loss.to_json()},
        jobs=(owner,),
    )
