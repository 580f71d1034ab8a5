"""How long an idle pool should stay: defaults, caps, and what the loop's own gaps recommend.

Sources: developer guide, train-warm-pools (at most 3600 s; a cluster is reused for at most 28 days), and the
service model of ResourceConfig, which admits 21600 s. What the service does between the two is not known, so
more than 3600 needs an explicit override.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from wpfsm.fsm.costs.job_cost import bill
from wpfsm.fsm.units import DAY, HOUR, MINUTE, duration, usd

DEFAULT_FOR_PROGRAM = 10 * MINUTE
DEFAULT_FOR_PERSON = 30 * MINUTE
CAP = 1 * HOUR
"""The developer guide's limit for KeepAlivePeriodInSeconds."""
ABSOLUTE_CAP = 6 * HOUR
"""The service model's limit; whether the service accepts more than the guide says is not known."""
CHAIN_LIFE = 28 * DAY
ENOUGH_GAPS = 5
"""From so many gaps on there is advice: what 95 % of two are within says nothing of the third."""

Driver = Literal["program", "person"]


@dataclass(frozen=True)
class Recommendation:
    """What to do with the pool between two jobs.

    Attributes:
        keep_alive_seconds: the keep-alive to ask for; 0 when the pool is better released.
        hold: keep the pool between jobs.
        why: the evidence and the arithmetic, in one or two sentences.
    """

    keep_alive_seconds: float
    hold: bool
    why: str


def default_keep_alive(driver: Driver) -> float:
    """Seconds: a program submits the next job soon, a person thinks and fetches coffee."""
    return DEFAULT_FOR_PERSON if driver == "person" else DEFAULT_FOR_PROGRAM


def cap(*, allow_long: bool = False) -> float:
    """The longest keep-alive in seconds: the guide's, or with the override the service model's."""
    return ABSOLUTE_CAP if allow_long else CAP


def recommend(
    gaps: Sequence[float],
    cold_start_seconds: float,
    *,
    warm_start_seconds: float = 0.0,
    bill_provisioning: bool = False,
    time_worth: float = 1.0,
    price_per_hour: float | None = None,
    instance_count: int = 1,
    driver: Driver = "program",
    allow_long: bool = False,
) -> Recommendation:
    """Recommends a keep-alive from the gaps that this loop has had.

    The candidate is the 95th percentile of the gap, in whole minutes. It holds its ground if the idle time
    that it would have had billed is worth the starts that it would have saved; else the best shorter one is
    tried, which serves a loop of many short gaps and a few long ones; else the pool is better released.

    Args:
        gaps: seconds from the end of a job to the next submission.
        cold_start_seconds: startup on new instances.
        warm_start_seconds: startup on the pool.
        bill_provisioning: a start is billed, so that a start saved is money saved.
        time_worth: where provisioning is not billed, the billed idle seconds that one second of waiting
            saved is worth.
        price_per_hour: US dollars per instance and hour, for the sentence only.
        instance_count: instances of the pool, for the sentence only.
        driver: who submits; decides the default while there is no history.
        allow_long: accept more than the developer guide documents.
    """
    if not gaps:
        default = default_keep_alive(driver)
        why = f"No gap between two jobs has been seen yet: the default of a {driver}, {duration(default)}."
        return Recommendation(default, hold=True, why=why)
    longest = cap(allow_long=allow_long)
    saved = max(0.0, cold_start_seconds - warm_start_seconds)
    worth = saved if bill_provisioning else saved * time_worth
    p95 = _whole_minutes(percentile(gaps, 0.95), longest)
    candidates = [p95, *sorted({_whole_minutes(gap, longest) for gap in gaps}, reverse=True)]
    keep_alive = p95 if _net(p95, gaps, worth) >= 0 else max(candidates, key=lambda k: _net(k, gaps, worth))
    hold = _net(keep_alive, gaps, worth) >= 0

    def cost(seconds: float) -> str:
        return "" if price_per_hour is None else f" ({usd(bill(seconds, price_per_hour, instance_count))})"

    idle = _idle(keep_alive, gaps)
    bridged = sum(gap <= keep_alive for gap in gaps)
    why = (
        f"95 % of {len(gaps)} gaps are within {duration(percentile(gaps, 0.95))}. "
        f"A keep-alive of {duration(keep_alive)} bridges {bridged} of {len(gaps)} and idles "
        f"{duration(idle)}{cost(idle)} a gap; a warm start saves {duration(saved)} of "
        f"{'billed provisioning' + cost(saved) if bill_provisioning else 'waiting, no money'}."
    )
    if not hold:
        return Recommendation(0.0, hold=False, why=f"{why} Release the pool between jobs: idling costs more.")
    return Recommendation(keep_alive, hold=True, why=why)


def renewal(
    idle_since: float, keep_alive: float, now: float, hold_until: float, *, allow_long: bool = False
) -> float | None:
    """The keep-alive to set so that an idle pool lasts until a moment; None when it lasts that long already.

    Whether the service counts a new keep-alive from the update or from the start of idling is not
    documented. The value returned reaches the moment under both rules, so it may overshoot it by the time
    that the pool has idled already. At the cap it may fall short.

    Args:
        idle_since: epoch seconds at which the pool became idle.
        keep_alive: the present keep-alive in seconds.
        now: epoch seconds.
        hold_until: epoch seconds.
        allow_long: accept more than the developer guide documents.
    """
    wanted = float(ceil(min(hold_until - min(idle_since, now), cap(allow_long=allow_long))))
    return wanted if wanted > keep_alive else None


def chain_remaining(first_started_at: float, now: float) -> float:
    """Seconds left of the 28 days for which one cluster may be reused; 0 when they are over.

    Args:
        first_started_at: epoch seconds at which the chain's first job started.
        now: epoch seconds.
    """
    return max(0.0, CHAIN_LIFE - max(0.0, now - first_started_at))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank).

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("a percentile of no values is undefined")
    rank = ceil(share * len(values) - 1e-9)
    return sorted(values)[max(1, rank) - 1]


def _whole_minutes(seconds: float, longest: float) -> float:
    return min(longest, max(MINUTE, ceil(seconds / MINUTE) * MINUTE))


def _idle(keep_alive: float, gaps: Sequence[float]) -> float:
    """Billed idle seconds of an average gap."""
    return sum(min(gap, keep_alive) for gap in gaps) / len(gaps)


def _net(keep_alive: float, gaps: Sequence[float], worth: float) -> float:
    """What an average gap gains by this keep-alive, in seconds at the instance's price."""
    return worth * sum(gap <= keep_alive for gap in gaps) / len(gaps) - _idle(keep_alive, gaps)
