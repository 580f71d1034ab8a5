"""Limits are admission control: a job that could pass a limit is refused before it is submitted.

A job's worst case is its runtime limit, then a pool that idles through its whole keep-alive, on every
instance. So a loop that was admitted job by job cannot pass its limits, as long as every job stays within
its worst case. (The service enforces a runtime limit late by minutes; that much is not covered.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wpfsm.fsm.costs.job_cost import bill
from wpfsm.fsm.records import TERMINAL, Job
from wpfsm.fsm.units import duration, times, usd

LimitName = Literal["max_jobs", "max_cost", "max_wall", "max_failures"]

_EXACT = 1e-9
"""Dollars or seconds. A worst case that meets a limit exactly is admitted, whatever floats make of it."""


@dataclass(frozen=True)
class Allowance:
    """What a loop may use. None is no limit.

    Attributes:
        max_jobs: jobs in all, retries included.
        max_cost: US dollars in all, idle pool included.
        max_wall: seconds from the start of the loop.
        max_failures: failed jobs; the loop ends at this many.
    """

    max_jobs: int | None = None
    max_cost: float | None = None
    max_wall: float | None = None
    max_failures: int | None = None


@dataclass(frozen=True)
class Spent:
    """What a loop has used.

    Attributes:
        jobs: submitted so far.
        failures: of them, how many failed.
        cost_usd: the known cost; None when it is unknown.
        wall_seconds: since the loop started.
        cost_complete: no job lacks a part of its cost.
        unknown_jobs: how many jobs do; None when that is not known either, and then every job counts as one.
        reserved_seconds: of a cluster, that what other lanes have under way may still be billed for.
    """

    jobs: int = 0
    failures: int = 0
    cost_usd: float | None = 0.0
    wall_seconds: float = 0.0
    cost_complete: bool = True
    unknown_jobs: int | None = None
    reserved_seconds: float = 0.0

    @property
    def unpriced_jobs(self) -> int:
        """The jobs that must be charged at their worst case, because what they cost is not known."""
        if self.cost_usd is not None and self.cost_complete:
            return 0
        return self.jobs if self.unknown_jobs is None or self.cost_usd is None else self.unknown_jobs


@dataclass(frozen=True)
class Refusal:
    """Why no further job is submitted.

    Attributes:
        limit: the limit's name in the loop file.
        text: the arithmetic in one sentence, and the way out.
        allowed: the limit.
        spent: what was used of it; None when unknown.
        worst_case: what one more job could add; None when unknown, 0 when the limit is reached already.
    """

    limit: LimitName
    text: str
    allowed: float
    spent: float | None
    worst_case: float | None


def worst_case_usd(
    max_runtime: float, keep_alive: float, price_per_hour: float, instance_count: int
) -> float:
    """US dollars of one job that runs to its limit and leaves a pool that idles to its end."""
    return bill(max_runtime + keep_alive, price_per_hour, instance_count)


def admit(
    limits: Allowance,
    spent: Spent,
    *,
    max_runtime: float,
    keep_alive: float,
    price_per_hour: float | None,
    instance_count: int,
) -> Refusal | None:
    """Whether one more job may be submitted; None means yes.

    Args:
        limits: what the loop may use.
        spent: what it has used.
        max_runtime: the next job's runtime limit in seconds.
        keep_alive: seconds that its pool may idle; 0 when it leaves none.
        price_per_hour: US dollars per instance and hour; None when unknown.
        instance_count: instances of the job.
    """
    return (
        exhausted(limits, spent)
        or _admit_wall(limits, spent, max_runtime)
        or _admit_cost(limits, spent, max_runtime, keep_alive, price_per_hour, instance_count)
    )


def exhausted(limits: Allowance, spent: Spent) -> Refusal | None:
    """Whether a limit is reached already, whatever the next job would cost; None means no."""
    if limits.max_jobs is not None and spent.jobs >= limits.max_jobs:
        return _reached("max_jobs", limits.max_jobs, spent.jobs, f"{spent.jobs} jobs of {limits.max_jobs}")
    if limits.max_failures is not None and spent.failures >= limits.max_failures:
        text = f"{spent.failures} failed jobs of {limits.max_failures}"
        return _reached("max_failures", limits.max_failures, spent.failures, text)
    if limits.max_wall is not None and spent.wall_seconds >= limits.max_wall:
        text = f"{duration(spent.wall_seconds)} of {duration(limits.max_wall)}"
        return _reached("max_wall", limits.max_wall, spent.wall_seconds, text)
    if limits.max_cost is not None and spent.cost_usd is not None and spent.cost_usd >= limits.max_cost:
        text = f"{usd(spent.cost_usd)} of {usd(limits.max_cost)}"
        return _reached("max_cost", limits.max_cost, spent.cost_usd, text)
    return None


def _admit_wall(limits: Allowance, spent: Spent, max_runtime: float) -> Refusal | None:
    if limits.max_wall is None or spent.wall_seconds + max_runtime <= limits.max_wall + _EXACT:
        return None
    return Refusal(
        limit="max_wall",
        text=(
            f"one more job could pass limits.max_wall: {duration(spent.wall_seconds)} used "
            f"+ {duration(max_runtime)} of job.max_runtime > {duration(limits.max_wall)}. "
            f"{duration(limits.max_wall - spent.wall_seconds)} are left: lower job.max_runtime to that, "
            "or raise limits.max_wall."
        ),
        allowed=limits.max_wall,
        spent=spent.wall_seconds,
        worst_case=max_runtime,
    )


def _admit_cost(
    limits: Allowance,
    spent: Spent,
    max_runtime: float,
    keep_alive: float,
    price_per_hour: float | None,
    instance_count: int,
) -> Refusal | None:
    if limits.max_cost is None:
        return None
    if price_per_hour is None:
        return Refusal(
            limit="max_cost",
            text=(
                f"limits.max_cost is {usd(limits.max_cost)}, but the price of an instance is unknown, so no job "
                "can be shown to stay within it. Set pool.price_per_hour in the loop file, or remove the limit."
            ),
            allowed=limits.max_cost,
            spent=spent.cost_usd,
            worst_case=None,
        )
    worst = worst_case_usd(max_runtime, keep_alive, price_per_hour, instance_count)
    known = spent.cost_usd or 0.0
    reserved = bill(spent.reserved_seconds, price_per_hour, instance_count)
    used = known + spent.unpriced_jobs * worst + reserved
    if used + worst <= limits.max_cost + _EXACT:
        return None
    unknown = f" + {spent.unpriced_jobs} of unknown cost x {usd(worst)}" if spent.unpriced_jobs else ""
    lanes = f" + {usd(reserved)} that the other lanes have under way" if reserved else ""
    return Refusal(
        limit="max_cost",
        text=(
            f"one more job could pass limits.max_cost: {usd(known)} spent{unknown}{lanes} + {usd(worst)} at worst "
            f"({duration(max_runtime)} of job.max_runtime + {duration(keep_alive)} of keep-alive = "
            f"{times(instance_count, price_per_hour, max_runtime + keep_alive)}) > {usd(limits.max_cost)}. "
            "Lower job.max_runtime or pool.keep_alive, or raise limits.max_cost."
        ),
        allowed=limits.max_cost,
        spent=used,
        worst_case=worst,
    )


def _reached(limit: LimitName, allowed: float, spent: float, text: str) -> Refusal:
    return Refusal(
        limit=limit,
        text=f"limits.{limit} is reached: {text}. Raise it to go on.",
        allowed=allowed,
        spent=spent,
        worst_case=0.0,
    )


def under_way(jobs: Sequence[Job], now: float) -> float:
    """Seconds of a cluster that jobs of other lanes may still be billed for, at worst: their runtime, then their pool.

    What they have used by ``now`` is in the ledger.
    """
    seconds = 0.0
    for job in jobs:
        if job.status not in TERMINAL and job.status != "Rejected":
            used = max(0.0, now - job.started_at) if job.started_at is not None else 0.0
            seconds += max(0.0, job.max_runtime - used) + job.keep_alive
        elif job.may_hold_pool and job.ended_at is not None:
            seconds += max(0.0, job.ended_at + job.keep_alive - now)
    return seconds


def unmended(jobs: Sequence[Job]) -> Iterator[Job]:
    """The failed jobs that count: those that wpfsm did not mend.

    A patch that changed something mends its failure unless the same one comes back. One that only tries again changes
    nothing: it mended the failure when the trial came through.
    """
    for position, job in enumerate(jobs):
        if job.diagnosis is None:
            continue
        after = [j for j in jobs[position + 1 :] if j.trial == job.trial]
        came_through = any(j.status == "Completed" and j.diagnosis is None for j in after)
        kind = job.patch.kind if job.patch else "edit"
        came_back = (
            after and after[0].diagnosis and after[0].diagnosis.fingerprint == job.diagnosis.fingerprint
        )
        if kind == "edit" or came_back or (kind == "retry" and not came_through):
            yield job
