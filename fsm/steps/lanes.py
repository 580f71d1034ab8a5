"""What a lane needs to know of its siblings: who works, whether a trial may come for it, and whose pool idles.

Each lane writes its own rows only. What it decides on the rows of others is committed with ``together``, so that of
two lanes that decide on the same rows the second one asks again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.pool.keep_alive import cap
from wpfsm.fsm.pool.owner import floating_claims, lacks_a_pool, strays
from wpfsm.fsm.records import TERMINAL, Change, Job, Outcome, State, Trial
from wpfsm.fsm.steps.next_trial import rows_of
from wpfsm.fsm.steps.service_writes import set_keep_alive, was_let_go
from wpfsm.fsm.strategies.base import TrialRow, best
from wpfsm.fsm.strategies.metrics import Goal

_BUSY = ("pending", "running")


class LanesWait(Exception):
    """This lane has nothing to do before somebody answers the hand-off of a sibling: its turn ends like one."""


def others_busy(ctx: Context, trials: Sequence[Trial]) -> bool:
    """Whether a sibling has a trial under way, so that what it shows may bring this lane another one."""
    return bool(ctx.loop.lane) and any(t.state in _BUSY and t.lane not in (0, ctx.loop.lane) for t in trials)


def handed_back(ctx: Context, trials: Sequence[Trial]) -> Trial | None:
    """A trial that its lane gave back to the queue, as this lane's."""
    if not ctx.loop.lane:
        return None
    free = next((t for t in trials if t.state == "pending" and t.lane == 0), None)
    return None if free is None else replace(free, lane=ctx.loop.lane)


def more_may_come(ctx: Context, trials: Sequence[Trial]) -> bool:
    """Whether the strategy may ask for another trial once those under way have ended; judged in their favour."""
    rows = rows_of(trials)
    return ctx.strategy.summary([_as_ended(row, rows, ctx.goal) for row in rows]).ended is None


def _as_ended(row: TrialRow, rows: Sequence[TrialRow], goal: Goal | None) -> TrialRow:
    winner = best(rows, goal)
    return (
        replace(row, state="completed", metric=winner.metric if winner else 0.0)
        if row.state == "running"
        else row
    )


def wait_for_siblings(ctx: Context, what: str) -> None:
    """Pause while a sibling works.

    Raises:
        LanesWait: Those that have a trial under way wait for an answer from outside.
    """
    working = {t.lane for t in ctx.store.trials() if t.state in _BUSY}
    siblings = ctx.siblings()
    active = [
        each
        for each in siblings
        if each.outcome is None
        and each.handoff is None
        and (each.lane in working or (each.lane == 1 and each.state is State.PREFLIGHT))
    ]
    if not active and any(each.handoff is not None for each in siblings):
        raise LanesWait
    ctx.wait(ctx.pace.siblings, what)


def let_go(why: str, trials: Sequence[Trial] = (), jobs: Sequence[Job] = ()) -> Change:
    """The end of a lane for which no trial is left, while others go on. Its pool is released at once."""
    change = release(Outcome.LET_GO, why)
    return replace(change, trials=tuple(trials), jobs=tuple(jobs), together=True)


def at_limit(ctx: Context, refusal: str) -> Change:
    """A limit admits no further job of this lane: while others go on it is let go, and gives its trial back."""
    trials = ctx.store.trials()
    if not others_busy(ctx, trials):
        return release(Outcome.LIMIT, refusal)
    mine = [t for t in trials if t.state in _BUSY and t.lane == ctx.loop.lane]
    return let_go(refusal, [replace(t, state="pending", lane=0) for t in mine])


def claim_of(ctx: Context, own: Job | None) -> str:
    """The idle pool that the next job counts on: the lane's own, else one that a sibling has left behind."""
    if own is not None and own.pool_status == "Available":
        return own.name
    left = strays(ctx.group_jobs())
    return left[0].name if left else ""


def release_strays(ctx: Context) -> None:
    """Let go of the pools that this lane has left behind and that no sibling will take."""
    if not ctx.loop.lane:
        return
    for job in strays(ctx.group_jobs()):
        if job.lane == ctx.loop.lane and not is_wanted(ctx) and not was_let_go(ctx, job.name):
            set_keep_alive(ctx, job, 0, "its lane runs on a sibling's pool, and no sibling needs this one")


def is_wanted(ctx: Context) -> bool:
    """Whether a sibling may still take a pool that was left behind."""
    jobs = ctx.group_jobs()
    active = {each.lane for each in ctx.siblings() if each.outcome is None}
    return bool(floating_claims(jobs)) or any(lacks_a_pool(jobs, lane) for lane in active)


def is_left_to_others(ctx: Context, job: Job) -> bool:
    """Whether a lane that was let go keeps its hands off this pool of its own, for a sibling is about to take it."""
    if ctx.loop.outcome is not Outcome.LET_GO:
        return False
    jobs = ctx.group_jobs()
    claimed = any(
        j.claims == job.name and j.start is None and j.status not in (*TERMINAL, "Rejected") for j in jobs
    )
    return claimed or (job.name in {j.name for j in strays(jobs)} and is_wanted(ctx))


def leave_to_whoever_asks(ctx: Context, job: Job) -> None:
    """Leave a pool to a sibling that waits in a hand-off, warm for as long as that one said that it holds its own.

    The service may have run a job of this lane on the sibling's pool, so that this one is what is left for it.

    Raises:
        LanesWait: No sibling works, so that nobody takes the pool before the hand-off is answered.
    """
    active = [each for each in ctx.siblings() if each.outcome is None]
    asking = [each for each in active if each.handoff is not None]
    if not asking or any(each.handoff is None and each.state is not State.PREFLIGHT for each in active):
        return
    if job.ended_at is not None:
        held = max(each.hold_until or 0.0 for each in asking) - job.ended_at
        longest = cap(allow_long=ctx.file.pool.allow_long_keep_alive)
        keep_alive = math.floor(min(held, longest, ctx.idle_within_limits()))
        if keep_alive > job.keep_alive:
            set_keep_alive(ctx, job, keep_alive, "a sibling waits in a hand-off, and its pool was taken")
    raise LanesWait
