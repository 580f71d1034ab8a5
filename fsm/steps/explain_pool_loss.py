"""Why did the pool end? The most likely cause, from the evidence, and what the cold start costs.

The service gives no reason. The causes are those of the developer guide (train-warm-pools): the keep-alive
ran out, somebody released it, a patch update, a failure that may have compromised the cluster, no quota,
28 days. The rules are asked in order; the first that has evidence names the cause.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.costs.job_cost import JobCost, bill, measured_starts
from wpfsm.fsm.pool.keep_alive import CHAIN_LIFE
from wpfsm.fsm.pool.owner import chain_started_at
from wpfsm.fsm.pool.quota import warm_pool_quota_name
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import JSON, Job
from wpfsm.fsm.steps.service_writes import was_let_go
from wpfsm.fsm.units import duration, short_duration, usd

_SLACK = 15.0
"""Seconds within which two clocks are taken to agree."""
_UNHEALTHY = "InternalServerError"
"""FailureReason of a job after which the service keeps no cluster."""

Cause = Literal[
    "infrastructure",
    "released",
    "released_outside",
    "expired",
    "chain_limit",
    "quota",
    "never_launched",
    "patch_update",
]


@dataclass(frozen=True)
class PoolLoss:
    """The most likely cause, in a word and in a sentence.

    Attributes:
        cause: The word.
        text: The sentence, the price of the cold start included.
        cold_start_seconds: Median of the loop's measured cold starts; None without one.
        cold_start_usd: What that costs, 0 where starting up is not billed; None when it is not known.
    """

    cause: Cause
    text: str
    cold_start_seconds: float | None
    cold_start_usd: float | None

    def to_json(self) -> dict[str, JSON]:
        """What the history keeps beside the sentence."""
        return {
            "cause": self.cause,
            "cold_start_seconds": self.cold_start_seconds,
            "cold_start_usd": self.cold_start_usd,
        }


def explain_pool_loss(ctx: Context, owner: Job, reading: JobReading | None) -> PoolLoss:
    """Judge from the owner's row, its intents, the clock, and what Describe says of it.

    Args:
        ctx: The loop.
        owner: The job that owned the pool, its last reading merged in.
        reading: That reading.
    """
    case = _Case.of(ctx, owner, reading)
    found = next((verdict for rule in _RULES if (verdict := rule(ctx, case))), None)
    cause, why = found or _patch_update(case)
    seconds, dollars = cold_start_cost(ctx)
    return PoolLoss(cause, why + cold_start_text(seconds, dollars), seconds, dollars)


@dataclass(frozen=True)
class _Case:
    """The evidence.

    Attributes:
        owner: The job that owned the pool.
        died_at: When the pool ended, by the billed time where the service gives it.
        shown: The keep-alive that Describe shows; None where it shows none.
        reported: Whether Describe reports a pool at all.
    """

    owner: Job
    died_at: float
    shown: float | None
    reported: bool

    @classmethod
    def of(cls, ctx: Context, owner: Job, reading: JobReading | None) -> _Case:
        died_at = owner.pool_ended_at or ctx.clock.now()
        if owner.ended_at and owner.retained_seconds:
            died_at = owner.ended_at + owner.retained_seconds
        resources = reading.request.get("ResourceConfig") if reading else None
        shown = resources.get("KeepAlivePeriodInSeconds") if isinstance(resources, Mapping) else None
        seen = float(shown) if isinstance(shown, int | float) else None
        return cls(owner, died_at, seen, reading is not None and reading.pool is not None)

    @property
    def keep_alive(self) -> float:
        """The keep-alive that applied: what Describe shows, else what was asked for."""
        return self.owner.keep_alive if self.shown is None else self.shown

    @property
    def idled(self) -> bool:
        """Whether a pool existed after the job, as far as the service says."""
        return bool(self.owner.retained_seconds)


_Verdict = tuple[Cause, str]


def _released(ctx: Context, case: _Case) -> _Verdict | None:
    name = case.owner.name
    ours = was_let_go(ctx, name)
    return ("released", f"the pool of {name} was released by this loop") if ours else None


def _infrastructure(_: Context, case: _Case) -> _Verdict | None:
    owner = case.owner
    if case.idled or owner.status != "Failed" or not owner.failure_reason.startswith(_UNHEALTHY):
        return None
    kind = owner.failure_reason.partition(":")[0]
    return "infrastructure", f"{owner.name} failed with {kind}, after which the service keeps no cluster"


def _never_launched(_: Context, case: _Case) -> _Verdict | None:
    owner = case.owner
    if case.idled or owner.started_at is not None or owner.start == "warm":
        return None
    if owner.status not in ("Failed", "Stopped"):
        return None
    return "never_launched", f"{owner.name} ended before a cluster was launched"


def _released_outside(_: Context, case: _Case) -> _Verdict | None:
    if case.shown != 0 or not case.owner.keep_alive:
        return None
    return "released_outside", (
        f"the pool of {case.owner.name} was released outside this loop: Describe shows a keep-alive of 0, and "
        f"this loop asked for {short_duration(case.owner.keep_alive)} (the console's Release cluster, a wpfsm gc "
        "elsewhere, or another UpdateTrainingJob)"
    )


def _chain_limit(ctx: Context, case: _Case) -> _Verdict | None:
    started = chain_started_at(ctx.group_jobs(), case.owner)
    if started is None or case.died_at < started + CHAIN_LIFE - _SLACK:
        return None
    return "chain_limit", "the cluster reached the 28 days for which a chain of jobs may use it"


def _expired(_: Context, case: _Case) -> _Verdict | None:
    owner = case.owner
    if not owner.ended_at or not case.reported:
        return None
    expiry = owner.ended_at + case.keep_alive
    if case.died_at < expiry - _SLACK:
        return None
    changed = (
        ""
        if case.keep_alive == owner.keep_alive
        else f" (changed outside this loop, which asked for {short_duration(owner.keep_alive)})"
    )
    return "expired", (
        f"the keep-alive of {short_duration(case.keep_alive)}{changed} ran out at {_clock(expiry)} "
        f"({owner.name} ended at {_clock(owner.ended_at)})"
    )


def _quota(ctx: Context, case: _Case) -> _Verdict | None:
    owner = case.owner
    if case.reported and owner.retained_seconds != 0:
        return None
    return "quota", (
        f"{owner.name} ended without leaving a pool: most likely the quota "
        f"{warm_pool_quota_name(ctx.file.pool.instance_type)!r} had no room, and the service then keeps nothing, "
        "silently (wpfsm pools shows who holds what)"
    )


_Rule = Callable[[Context, _Case], _Verdict | None]
_RULES: Sequence[_Rule] = (
    _released,
    _infrastructure,
    _never_launched,
    _released_outside,
    _chain_limit,
    _expired,
    _quota,
)


def _patch_update(case: _Case) -> _Verdict:
    """What is left when nothing else has evidence; the service announces no patch update."""
    idle = max(0.0, case.died_at - (case.owner.ended_at or case.died_at))
    return "patch_update", (
        f"the pool of {case.owner.name} ended after {duration(idle)} of {duration(case.keep_alive)}: most likely a patch "
        "update of the service (a release outside this loop would look the same if Describe did not show it)"
    )


def released_outside(ctx: Context, owner: Job, reading: JobReading) -> str:
    """Whether somebody else is letting the pool go, though it still shows Available; empty when there is no sign."""
    verdict = _released_outside(ctx, _Case.of(ctx, owner, reading))
    return verdict[1] if verdict else ""


def cold_start_cost(ctx: Context) -> tuple[float | None, float | None]:
    """Median measured cold start in seconds, and its dollars: 0 where starting up is not billed."""
    measured = measured_starts([JobCost.of(job, 1) for job in ctx.group_jobs()], "cold")
    if not measured:
        return None, None
    seconds = median(measured)
    if not ctx.file.forecast.bill_provisioning:
        return seconds, 0.0
    if ctx.price is None:
        return seconds, None
    return seconds, bill(seconds, ctx.price.usd_per_hour, ctx.file.pool.instance_count)


def cold_start_text(seconds: float | None, dollars: float | None) -> str:
    """The price of a cold start as the end of a sentence; empty while none was measured."""
    if seconds is None:
        return ""
    money = (
        "at a price that is not known"
        if dollars is None
        else "and no money, for starting up is not billed"
        if dollars == 0
        else f"and {usd(dollars)}"
    )
    return f"; a cold start takes about {duration(seconds)} {money}"


def mismatch_cost(ctx: Context) -> str:
    """What a job that does not match the pool would cost, in words."""
    seconds, dollars = cold_start_cost(ctx)
    price, file = ctx.price, ctx.file
    idle = f"would idle beside it for up to {duration(ctx.keep_alive)}"
    if price is not None:
        idle += f", {usd(bill(ctx.keep_alive, price.usd_per_hour, file.pool.instance_count))} of it billed"
    return (
        f"the warm pool would not match, the next job would start cold{cold_start_text(seconds, dollars)}, and the "
        f"old pool {idle}"
    )


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(at))
