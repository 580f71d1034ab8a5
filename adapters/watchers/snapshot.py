"""What there is to see of a loop at a glance: its rows, boiled down. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from wpfsm.adapters.documents.loop import worst_case
from wpfsm.adapters.documents.rows import best_of, ledger_of, section
from wpfsm.fsm.records import POOL_OVER, Job, Loop, State, Trial
from wpfsm.fsm.units import duration

PoolActivity = Literal["none", "starting", "busy", "idle", "gone"]


@dataclass(frozen=True)
class PoolSnapshot:
    """The pool now.

    Attributes:
        heat: What it does.
        text: The same in words, without the countdown.
        expires_at: When the service releases the idle pool by itself; None while it does not idle.
        usd_per_hour: What it burns; None when unknown.
    """

    heat: PoolActivity
    text: str
    expires_at: float | None = None
    usd_per_hour: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """One look at a loop.

    Attributes:
        state: The loop's state.
        jobs: How many jobs there are.
        job: The newest one.
        trial: The trial of the newest job, or the one drawn for the next.
        completed: Trials with a verdict, smoke runs left out.
        failed: Jobs that failed.
        pool: The pool.
        cost_usd: Dollars so far; None when the price is unknown.
        estimated: Whether some of them are wpfsm's own figures.
        worst_usd: Dollars more if the controller died now and nobody came back; None when unknown.
        metric: Name of the loop's metric; empty without one.
        best: The best trial.
        previous: The metric of each trial that has one, in order.
        since: When the newest job was created, or the loop when there is none.
        per_trial: Seconds that a trial takes, its start included, as those that are over tell; None before the first.
    """

    state: State
    jobs: int
    job: Job | None
    trial: Trial | None
    completed: int
    failed: int
    pool: PoolSnapshot
    cost_usd: float | None
    estimated: bool
    worst_usd: float | None
    metric: str
    best: Trial | None
    previous: tuple[float, ...]
    since: float
    per_trial: float | None = None

    def left(self, total: int | None, now: float) -> float | None:
        """Seconds until the last of so many trials is over, if they go on as they went; None when unknown."""
        if total is None or self.per_trial is None or self.completed >= total:
            return None
        running = self.job is not None and self.job.ended_at is None
        return max(0.0, self.per_trial * (total - self.completed) - (now - self.since if running else 0.0))


def snapshot(loop: Loop, jobs: Sequence[Job], trials: Sequence[Trial], now: float) -> Snapshot:
    """Look at the rows of a loop as of ``now``."""
    ledger = ledger_of(loop, jobs, now)
    job = jobs[-1] if jobs else None
    name = section(loop, "metric").get("name")
    return Snapshot(
        state=loop.state,
        jobs=len(jobs),
        job=job,
        trial=_trial(job, trials),
        completed=sum(t.state in ("completed", "failed", "stopped") and not t.smoke for t in trials),
        failed=sum(j.diagnosis is not None for j in jobs),
        pool=pool_of(loop, jobs),
        cost_usd=ledger.cost_usd if jobs else 0.0,
        estimated=not ledger.final,
        worst_usd=_worst(loop, job),
        metric=name if isinstance(name, str) else "",
        best=best_of(loop, trials),
        previous=tuple(t.metric for t in trials if t.metric is not None),
        since=(job.created_at if job else None) or loop.created_at,
        per_trial=_per_trial(jobs),
    )


def pool_of(loop: Loop, jobs: Sequence[Job]) -> PoolSnapshot:
    """The state of the pool, as the newest job that may own it tells."""
    owner = next((j for j in reversed(jobs) if j.arn), None)
    if loop.receipt is not None:
        return PoolSnapshot("none", "released, and read back")
    if owner is None:
        return PoolSnapshot("none", "none yet")
    rate = _burn(loop)
    if not owner.is_terminal:
        if owner.started_at is None:
            return PoolSnapshot("starting", "starting", None, rate)
        started = f", {owner.start} start" if owner.start else ""
        took = (
            f" in {duration(owner.startup_seconds)}" if started and owner.startup_seconds is not None else ""
        )
        return PoolSnapshot("busy", f"in use{started}{took}", None, rate)
    if owner.keep_alive == 0:
        return PoolSnapshot("none", "none asked for")
    if owner.pool_status in POOL_OVER:
        return PoolSnapshot("gone", f"{owner.pool_status} after {owner.name}")
    expires = owner.ended_at + owner.keep_alive if owner.ended_at else None
    return PoolSnapshot("idle", owner.pool_status or "not reported yet", expires, rate)


def _per_trial(jobs: Sequence[Job]) -> float | None:
    """The median of the warm jobs, which those to come will be like; of all where none was warm."""
    spans = {
        job.number: job.ended_at - job.created_at
        for job in jobs
        if job.status == "Completed" and job.ended_at is not None and job.created_at is not None
    }
    warm = [spans[job.number] for job in jobs if job.number in spans and job.start == "warm"]
    return median(warm or list(spans.values())) if spans else None


def _trial(job: Job | None, trials: Sequence[Trial]) -> Trial | None:
    waiting = next((t for t in trials if t.state in ("pending", "running")), None)
    return waiting or next((t for t in trials if job and t.number == job.trial), None)


def _worst(loop: Loop, job: Job | None) -> float | None:
    if job is None:
        return 0.0
    running = bool(job.arn) and not job.is_terminal
    worst = worst_case(loop)
    value = worst["killed_during_job_usd" if running else "killed_between_jobs_usd"]
    return value if isinstance(value, float | int) else None


def _burn(loop: Loop) -> float | None:
    price, count = loop.price, section(loop, "pool").get("instance_count")
    return price.usd_per_hour * (count if isinstance(count, int) else 1) if price else None
