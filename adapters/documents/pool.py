"""The loop's warm pool as a document: where it stands, how it was lost before, how long it should be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wpfsm.adapters.documents.rows import instances, section
from wpfsm.fsm.costs.job_cost import JobCost, gaps_between, measured_starts
from wpfsm.fsm.costs.ledger import ASSUMED_COLD_START
from wpfsm.fsm.pool.keep_alive import CHAIN_LIFE, ENOUGH_GAPS, Recommendation, percentile, recommend
from wpfsm.fsm.pool.owner import chain_started_at
from wpfsm.fsm.records import JSON, POOL_OVER, Job, Loop, State
from wpfsm.fsm.units import stamp

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History


def pool_object(
    history: History, loop: Loop, jobs: Sequence[Job], owed: Sequence[str], now: float
) -> dict[str, JSON]:
    """What ``inspect ID`` prints under ``pool``."""
    owner = next((j for j in reversed(jobs) if j.arn and j.keep_alive > 0), None)
    alive = owner is not None and owner.pool_status not in POOL_OVER and bool(owed)
    price, count = loop.price, instances(loop)
    expires = owner.ended_at + owner.keep_alive if owner and owner.ended_at else None
    burn = price.usd_per_hour * count if price and alive else None
    advice = advised(loop, jobs)
    chain = chain_started_at(jobs, owner) if alive and owner else None
    return {
        "status": owner.pool_status or None if owner else None,
        "owner_job": owner.name if owner else None,
        "expires_at": stamp(expires) if alive else None,
        "expires_in_seconds": max(0.0, expires - now) if alive and expires else None,
        "burn_usd_per_hour": burn if alive else (0.0 if loop.state is State.CLOSED else None),
        "released": loop.receipt is not None and not owed,
        "owed": list(owed),
        "losses": losses(history, loop),
        "chain_ends_at": stamp(chain + CHAIN_LIFE) if chain else None,
        "advice": None
        if advice is None
        else {"keep_alive_seconds": advice.keep_alive_seconds, "hold": advice.hold, "why": advice.why},
    }


def losses(history: History, loop: Loop) -> list[JSON]:
    """Each time that the loop had to start cold after its first job, with the cause, oldest first."""
    return [
        {
            "at": stamp(event.at),
            "job": event.data.get("job"),
            "cause": event.data["cause"],
            "why": event.why,
            "cold_start_seconds": event.data.get("cold_start_seconds"),
            "cold_start_usd": event.data.get("cold_start_usd"),
        }
        for event in history.events(loop.id)
        if event.data.get("cause")
    ]


def advised(loop: Loop, jobs: Sequence[Job]) -> Recommendation | None:
    """The keep-alive that the loop's own gaps recommend; None while it has had too few."""
    costs = [JobCost.of(job, 1) for job in jobs if job.arn]
    gaps = gaps_between(costs)
    if len(gaps) < ENOUGH_GAPS:
        return None
    pool, forecast, price = section(loop, "pool"), section(loop, "forecast"), loop.price
    cold, warm = measured_starts(costs, "cold"), measured_starts(costs, "warm")
    return recommend(
        gaps,
        percentile(cold, 0.5) if cold else ASSUMED_COLD_START,
        warm_start_seconds=percentile(warm, 0.5) if warm else 0.0,
        bill_provisioning=bool(forecast.get("bill_provisioning")),
        price_per_hour=price.usd_per_hour if price else None,
        instance_count=instances(loop),
        allow_long=bool(pool.get("allow_long_keep_alive")),
    )
