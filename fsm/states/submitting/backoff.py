"""Keeps an idle pool until a moment that is known beforehand: a backoff's end, a hand-off's."""

from __future__ import annotations

from wpfsm.fsm.context import Context
from wpfsm.fsm.patches.retry import LONGEST_WAIT
from wpfsm.fsm.pool.keep_alive import cap, renewal
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.steps.service_writes import set_keep_alive
from wpfsm.fsm.units import duration


def extend_keep_alive(ctx: Context, until: float) -> None:
    """Renew the keep-alive of the loop's idle pool if it would run out before ``until``; once, not at each turn.

    At the cap it may fall short; then the pool ends before, and the next job starts cold. A refusal means that
    there is no idle pool any more, which the next job's start will show.
    """
    owner = pool_owner(ctx.jobs())
    if owner is None or owner.ended_at is None or owner.pool_status != "Available":
        return
    allow_long = ctx.file.pool.allow_long_keep_alive
    seconds = renewal(owner.ended_at, owner.keep_alive, ctx.clock.now(), until, allow_long=allow_long)
    if seconds is None or owner.keep_alive >= cap(allow_long=allow_long):
        return
    left = until - ctx.clock.now()
    if _refused_before(ctx, owner.name, seconds):
        return
    set_keep_alive(ctx, owner, seconds, f"the next job comes in {duration(left)}")


def _refused_before(ctx: Context, job_name: str, seconds: float) -> bool:
    """Whether the service refused this renewal already: asking again would be refused again."""
    return any(
        intent.status == "refused" and intent.argument == f"{seconds:.0f}"
        for intent in ctx.store.intents_of(job_name, "update")
    )


def back_off(ctx: Context) -> None:
    """Wait out a retry's backoff, and keep the pool for as long."""
    # A clock that was set back since must not make it longer than any backoff is.
    until = min(ctx.loop.wait_until or 0, ctx.clock.now() + LONGEST_WAIT)
    while (left := until - ctx.clock.now()) > 0:
        extend_keep_alive(ctx, until + ctx.pace.most)
        ctx.wait(min(left, ctx.pace.most), "backing off before the retry", until)
