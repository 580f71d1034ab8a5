"""The hand-off of kind `ask`: the trial has its verdict, and the loop waits for the next proposal.

Like every hand-off it bounds its own cost: the pool's keep-alive is set so that the service itself lets it go when
nobody comes back within the hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import JSON, Job, Trial
from wpfsm.fsm.states.diagnosing.handoff_packet import Hold, redacted
from wpfsm.fsm.strategies.ask import DEFAULT_HOLD
from wpfsm.fsm.strategies.verdict import base_trial, best_average
from wpfsm.fsm.units import stamp

Kind = Literal["ask", "limit"]


def hold_seconds(ctx: Context) -> float:
    """How long the pool is held for a proposal."""
    return ctx.file.asks.hold if ctx.file.asks else DEFAULT_HOLD


def packet_of(
    ctx: Context, kind: Kind, why: str, job: Job, trial: Trial, trials: Sequence[Trial], hold: Hold
) -> dict[str, JSON]:
    """What whoever decides the next trial needs to see, as plain JSON."""
    loop_id = ctx.loop.group
    resume = ["wpfsm", "next", loop_id] if kind == "ask" else ["wpfsm", "resume", loop_id, "--accept-changes"]
    base = base_trial(trials, ctx.file.asks.keep if ctx.file.asks else "better")
    return {
        "kind": kind,
        "why": why,
        "loop": loop_id,
        "job": job.name,
        "trial": trial.number,
        "label": trial.label,
        "verdict": trial.verdict,
        "verdict_why": trial.verdict_why,
        "metric": trial.metric,
        "diagnosis": job.diagnosis.to_json() if job.diagnosis else None,
        "best": _shown(ctx, best_average(trials, ctx.goal)),
        "base": _shown(ctx, base),
        "left": left(ctx, hold),
        "pool": {
            "held_until": stamp(hold.until),
            "gone_by": stamp(hold.gone_by),
            "burn_usd_per_hour": hold.usd_per_hour,
            "usd_at_most": hold.usd_at_most,
        },
        "opened_at": stamp(ctx.clock.now()),
        "resume": list(resume),
        "give_up": ["wpfsm", "next", loop_id, "--done"],
    }


def left(ctx: Context, hold: Hold) -> dict[str, JSON]:
    """What the limits still admit: jobs, trials, dollars, seconds; None where there is no limit."""
    limits, asks = ctx.file.limits, ctx.file.asks
    spent = ctx.ledger().cost_usd
    now = ctx.clock.now()
    return {
        "jobs": None if limits.max_jobs is None else max(0, limits.max_jobs - len(ctx.group_jobs())),
        "trials": None if asks is None else max(0, asks.max_trials - len(ctx.store.trials())),
        "cost_usd": None
        if limits.max_cost is None or spent is None
        else round(max(0.0, limits.max_cost - spent), 4),
        "wall_seconds": None
        if limits.max_wall is None
        else max(0.0, limits.max_wall - (now - ctx.loop.created_at)),
        "hold_seconds": None if hold.until is None else max(0.0, hold.until - now),
    }


def _shown(ctx: Context, trial: Trial | None) -> dict[str, JSON] | None:
    if trial is None:
        return None
    return {
        "trial": trial.number,
        "label": trial.label,
        "params": redacted(trial.params),
        "metric": trial.metric,
        "source_digest": trial.source_digest,
        "snapshot": ctx.sources.path(trial.source_digest) if trial.source_digest else "",
    }
