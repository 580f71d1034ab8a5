"""Opens a hand-off that asks for a decision: which trial comes next, or whether a limit is raised.

Like every hand-off it bounds its own cost: the pool's keep-alive is set so that the service itself lets it go when
nobody comes back within the hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.failures.redact import redact_params
from wpfsm.fsm.records import Change, Job, Trial
from wpfsm.fsm.records.handoff import Left, Question, ShownTrial
from wpfsm.fsm.steps import lanes
from wpfsm.fsm.steps.hold_pool import Hold, cap_hold
from wpfsm.fsm.strategies.ask import DEFAULT_HOLD
from wpfsm.fsm.strategies.verdict import base_trial, best_average
from wpfsm.fsm.units import stamp


def open_question(
    ctx: Context,
    kind: Literal["ask", "limit"],
    why: str,
    rows: Sequence[Trial] = (),
    *,
    job: Job | None = None,
    let_go: bool = False,
) -> Change:
    """Hold the pool, and wait for whoever decides how the loop goes on.

    Args:
        ctx: The loop, owned.
        kind: What is asked: for a proposal, or for a higher limit.
        why: What led to it, as a sentence.
        rows: Trials that are written with it, as they are from now on.
        job: The newest job, where what is known of it is not committed yet.
        let_go: This loop has just released the pool itself, which must not be held again.
    """
    hold = Hold() if let_go else cap_hold(ctx, ctx.file.asks.hold if ctx.file.asks else DEFAULT_HOLD)
    # Holding the pool wrote to the row of the job that owns it.
    newest = ctx.store.last_job()
    known = {t.number: t for t in (*ctx.store.trials(), *rows)}
    trials = [known[number] for number in sorted(known)]
    trial = known[newest.trial] if newest else None
    diagnosis = job.diagnosis if job else newest.diagnosis if newest else None
    ask = kind == "ask"
    question = Question(
        kind=kind,
        why=why,
        loop=ctx.loop.group,
        job=newest.name if newest else None,
        trial=trial.number if trial else None,
        label=trial.label if trial else "",
        verdict=trial.verdict if trial else "",
        verdict_why=trial.verdict_why if trial else "",
        metric=trial.metric if trial else None,
        diagnosis=diagnosis,
        best=_shown(ctx, best_average(trials, ctx.goal)),
        base=_shown(ctx, base_trial(trials, ctx.file.asks.keep if ctx.file.asks else "better")),
        left=_left(ctx, hold, trials),
        pool=hold.shown(),
        opened_at=stamp(ctx.clock.now()),
        resume=("wpfsm", "next", ctx.loop.group)
        if ask
        else ("wpfsm", "resume", ctx.loop.group, "--accept-changes"),
        give_up=("wpfsm", "next", ctx.loop.group, "--done"),
    )
    verdict = f" ({question.verdict}: {question.verdict_why})" if question.verdict else ""
    return Change(
        kind="handed_off",
        why=f"{why}{verdict}; waiting for {'a proposal' if ask else 'the limit to be raised'}",
        data={
            "job": question.job,
            "kind": kind,
            "trial": question.trial,
            "verdict": question.verdict,
            "metric": question.metric,
            "hold_until": hold.until,
        },
        loop={"handoff": question, "hold_until": hold.until},
        jobs=(replace(newest, diagnosis=diagnosis),) if newest else (),
        trials=tuple(rows),
        together=True,
    )


def at_limit(ctx: Context, refusal: str, *, let_go: bool = False) -> Change:
    """A limit was reached before the next job: the end, or where the loop file says so a hand-off to raise it."""
    if ctx.file.limits.on_limit == "ask":
        return open_question(ctx, "limit", refusal, let_go=let_go)
    return lanes.at_limit(ctx, refusal)


def _left(ctx: Context, hold: Hold, trials: Sequence[Trial]) -> Left:
    """What the limits still admit."""
    limits, asks = ctx.file.limits, ctx.file.asks
    spent = ctx.ledger().cost_usd
    now = ctx.clock.now()
    own = sum(not trial.taken_loop for trial in trials)
    return Left(
        jobs=None if limits.max_jobs is None else max(0, limits.max_jobs - len(ctx.group_jobs())),
        trials=None if asks is None else max(0, asks.max_trials - own),
        cost_usd=None
        if limits.max_cost is None or spent is None
        else round(max(0.0, limits.max_cost - spent), 4),
        wall_seconds=None
        if limits.max_wall is None
        else max(0.0, limits.max_wall - (now - ctx.loop.created_at)),
        hold_seconds=None if hold.until is None else max(0.0, hold.until - now),
    )


def _shown(ctx: Context, trial: Trial | None) -> ShownTrial | None:
    if trial is None:
        return None
    return ShownTrial(
        trial=trial.number,
        label=trial.label,
        params=redact_params(trial.params),
        metric=trial.metric,
        source_digest=trial.source_digest,
        snapshot=ctx.sources.path(trial.source_digest) if trial.source_digest else "",
    )
