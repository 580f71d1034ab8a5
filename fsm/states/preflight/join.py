"""Preflight of every lane but the first: it takes over what the first one found out, and its first trial."""

from __future__ import annotations

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Held, MissingExtra, Refused
from wpfsm.fsm.records import Change, Loop, Outcome, Trial
from wpfsm.fsm.steps import lanes, proposals
from wpfsm.fsm.steps.next_trial import ask_next_trial
from wpfsm.fsm.steps.proposals import Queued


def join(ctx: Context) -> Change:
    """Wait until the first lane is admitted and there is a trial for this one; let go when there will be none."""
    first = _first(ctx)
    try:
        ctx.ports.leases.take(first.pool_key, ctx.loop.group, lanes=True)
        return _admitted(ctx, first)
    except (MissingExtra, Refused, Held) as error:
        from wpfsm.fsm.context import release

        outcome = Outcome.HELD if isinstance(error, Held) else Outcome.REFUSED
        return release(outcome, f"{error.message} - {error.fix}" if error.fix else error.message)


def _first(ctx: Context) -> Loop:
    """The first lane, once it has been through its checks; whether it refuses, every wait looks."""
    while True:
        first = ctx.lanes()[0]
        if first.lock is not None:
            return first
        lanes.wait_for_siblings(ctx, "the first lane to check the account")


def _admitted(ctx: Context, first: Loop) -> Change:
    while True:
        ctx.meet()
        trials = list(ctx.store.trials())
        queued = proposals.take(ctx, trials) if ctx.store.proposals() else Queued()
        drawn = queued.trial or lanes.handed_back(ctx, trials)
        rows: list[Trial] = []
        while drawn is None and not queued.done and (asked := ask_next_trial(ctx, [*trials, *rows])):
            rows.append(asked)
            drawn = None if asked.taken_from is not None else asked
        if drawn is not None and drawn not in rows:
            rows.append(drawn)
        if drawn is None:
            if not lanes.more_may_come(ctx, trials):
                return lanes.let_go("no trial is left for this lane")
            lanes.wait_for_siblings(ctx, "a trial for this lane")
            continue
        if refusal := ctx.over_limit():
            return lanes.let_go(refusal)
        return Change(
            kind="admitted",
            why=f"lane {ctx.loop.lane} begins with trial {drawn.number} ({drawn.label})",
            data={"trial": drawn.number, "lane": ctx.loop.lane},
            loop={
                "lock": first.lock,
                "pool_key": first.pool_key,
                "account": first.account,
                "price": first.price,
            },
            trials=tuple(rows),
            proposals=queued.rows,
            together=True,
        )
