"""What a loop will take, warm against cold, and what an abandoned pool could cost at worst.

The gap of a loop is the time from the end of one job to the submission of the next: wpfsm sees the end at its next
look, reads the result, submits. A warm pool idles through it, billed. The documented rule is that provisioning is
not billed (so a cold start costs time, not money); ``bill_provisioning`` counts it all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wpfsm.fsm.costs.job_cost import JobCost, bill, gaps_between, measured_starts, median_of
from wpfsm.fsm.units import duration, usd

_VISIBLE = 0.0001
"""Dollars. A smaller difference is the noise of floats, and no sentence is made of it."""


@dataclass(frozen=True)
class Assumptions:
    """What a forecast starts from. All times in seconds.

    Attributes:
        cold_start: from acceptance to the start of training, on new instances.
        warm_start: the same on the pool.
        train: one job's training.
        gap: from the end of a job to the next submission.
        bill_provisioning: count starts as billed.
    """

    cold_start: float = 300.0
    warm_start: float = 0.0
    train: float = 120.0
    gap: float = 10.0
    bill_provisioning: bool = False


@dataclass(frozen=True)
class Side:
    """One way to run the loop.

    Attributes:
        wall_seconds: from the first submission to the end of the last job.
        cost_usd: None when the price is unknown.
    """

    wall_seconds: float
    cost_usd: float | None


@dataclass(frozen=True)
class LoopForecast:
    """The loop on one warm pool against the same loop with every start cold.

    Attributes:
        warm: with the pool, released when the last job ends.
        cold: without.
        speedup: cold wall time over warm; None when there is nothing to compare.
        cost_saving: the part of the cold cost that the pool saves: 0.43 is 43 %; negative when the pool
            costs more than it saves; None when unknown.
        pool_survives: the keep-alive bridges the gap between two jobs.
        notes: what the figures alone do not tell, one sentence each.
    """

    warm: Side
    cold: Side
    speedup: float | None
    cost_saving: float | None
    pool_survives: bool
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The object that ``plan -o json`` prints under ``forecast``."""
        return {
            "warm": _side_json(self.warm),
            "cold": _side_json(self.cold),
            "speedup": _rounded(self.speedup),
            "cost_saving": _rounded(self.cost_saving),
        }


@dataclass(frozen=True)
class Leak:
    """What is billed at worst when the controller dies and nobody comes back.

    Attributes:
        killed_between_jobs_seconds: the pool idles until its keep-alive runs out.
        killed_between_jobs_usd: its cost over every instance; None when the price is unknown.
        killed_during_job_seconds: the job runs to its limit, then the pool idles as well.
        killed_during_job_usd: its cost over every instance; None when the price is unknown.
    """

    killed_between_jobs_seconds: float
    killed_between_jobs_usd: float | None
    killed_during_job_seconds: float
    killed_during_job_usd: float | None

    def to_json(self) -> dict[str, object]:
        """The leak as plain JSON values: unknown is null, dollars keep six decimals."""
        return {
            "killed_between_jobs_seconds": self.killed_between_jobs_seconds,
            "killed_between_jobs_usd": _rounded(self.killed_between_jobs_usd),
            "killed_during_job_seconds": self.killed_during_job_seconds,
            "killed_during_job_usd": _rounded(self.killed_during_job_usd),
        }


def forecast(
    jobs: int,
    a: Assumptions,
    price_per_hour: float | None,
    instance_count: int = 1,
    *,
    keep_alive: float,
    lanes: int = 1,
) -> LoopForecast:
    """Forecasts a loop of so many jobs both ways.

    Args:
        jobs: how many jobs, one or more.
        a: the assumptions.
        price_per_hour: US dollars per instance and hour; None when unknown.
        instance_count: instances of each job.
        keep_alive: seconds that the idle pool stays.
        lanes: how many run side by side; each starts cold once, and takes jobs until none is left.

    Raises:
        ValueError: There is no job to forecast.
    """
    if jobs < 1:
        raise ValueError(f"a forecast needs at least one job, not {jobs}")
    lanes = min(lanes, jobs)
    longest = -(-jobs // lanes)  # jobs of the busiest lane
    between = jobs - lanes
    survives = a.gap <= keep_alive
    later_start = a.warm_start if survives else a.cold_start
    idle = between * min(a.gap, keep_alive)

    def side(later: float, idle: float) -> Side:
        starting = lanes * a.cold_start + between * later
        billed = jobs * a.train + idle + (starting if a.bill_provisioning else 0.0)
        cost = None if price_per_hour is None else bill(billed, price_per_hour, instance_count)
        wall = a.cold_start + longest * a.train + (longest - 1) * (later + a.gap)
        return Side(wall_seconds=wall, cost_usd=cost)

    warm, cold = side(later_start, idle), side(a.cold_start, 0.0)
    return LoopForecast(
        warm=warm,
        cold=cold,
        speedup=cold.wall_seconds / warm.wall_seconds if warm.wall_seconds else None,
        cost_saving=1 - warm.cost_usd / cold.cost_usd
        if warm.cost_usd is not None and cold.cost_usd
        else None,
        pool_survives=survives,
        notes=tuple(_notes(jobs, a, warm, cold, keep_alive, idle)),
    )


def assumptions_from(history: Sequence[JobCost], base: Assumptions) -> Assumptions:
    """Replaces each assumption for which the loop has its own history, by the median.

    Args:
        history: the jobs that this loop has run, in order of number.
        base: what stands where the history says nothing.
    """
    training = [job.training_seconds for job in history if job.training_seconds is not None]
    return replace(
        base,
        cold_start=median_of(measured_starts(history, "cold"), base.cold_start),
        warm_start=median_of(measured_starts(history, "warm"), base.warm_start),
        train=median_of(training, base.train),
        gap=median_of(gaps_between(history), base.gap),
    )


def worst_case_leak(
    keep_alive_s: float, max_runtime_s: float, price_per_hour: float | None, instance_count: int = 1
) -> Leak:
    """What the service bills at worst after the controller has died for good.

    The service itself ends an idle pool at its keep-alive and a job at its runtime limit; it enforces the
    latter late by minutes, which is not counted here.

    Args:
        keep_alive_s: seconds that the idle pool stays.
        max_runtime_s: the job's runtime limit in seconds.
        price_per_hour: US dollars per instance and hour; None when unknown.
        instance_count: instances of the job.
    """

    def cost(seconds: float) -> float | None:
        return None if price_per_hour is None else bill(seconds, price_per_hour, instance_count)

    whole = max_runtime_s + keep_alive_s
    return Leak(
        killed_between_jobs_seconds=keep_alive_s,
        killed_between_jobs_usd=cost(keep_alive_s),
        killed_during_job_seconds=whole,
        killed_during_job_usd=cost(whole),
    )


def _notes(
    jobs: int, a: Assumptions, warm: Side, cold: Side, keep_alive: float, idle: float
) -> Sequence[str]:
    notes = []
    survives = jobs == 1 or a.gap <= keep_alive
    if not survives and not keep_alive:
        notes.append("The keep-alive is 0: no pool is kept, and every job starts cold.")
    elif not survives:
        notes.append(
            f"The pool does not survive the gap: {duration(a.gap)} between jobs against a keep-alive of "
            f"{duration(keep_alive)}. Every job starts cold, and {duration(idle)} of idle pool are billed for "
            "nothing. Raise the keep-alive above the gap, or run without a pool."
        )
    if warm.cost_usd is None or cold.cost_usd is None:
        notes.append("The price is unknown, so no cost is given; set pool.price_per_hour.")
    elif survives and warm.cost_usd - cold.cost_usd >= _VISIBLE:
        rule = "" if a.bill_provisioning else "; provisioning is not billed, so a cold start costs only time"
        notes.append(
            f"The pool saves {duration(cold.wall_seconds - warm.wall_seconds)} and costs "
            f"{usd(warm.cost_usd - cold.cost_usd)} more than cold starts would: its idle time between jobs, "
            f"{duration(idle)}, is billed{rule}."
        )
    return notes


def _side_json(side: Side) -> dict[str, object]:
    return {"wall_seconds": side.wall_seconds, "cost_usd": _rounded(side.cost_usd)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0  # never -0.0
