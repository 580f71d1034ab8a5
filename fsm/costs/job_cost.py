"""The times of one job, the price of one instance, and the arithmetic that both share.

Billable and retained seconds are those of a cluster and count once per instance (API reference,
DescribeTrainingJob: BillableTimeInSeconds and ResourceRetainedBillableTimeInSeconds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from wpfsm.fsm.records import POOL_OVER, Job
from wpfsm.fsm.units import HOUR


@dataclass(frozen=True)
class JobCost:
    """What is known of one job's time. None is unknown, never 0. Moments are epoch seconds.

    Attributes:
        number: the job's number in its loop, from 1.
        instance_count: instances of the cluster; every billed second counts that many times.
        started_at: when the service accepted the job.
        training_started_at: when its training started (TrainingStartTime).
        ended_at: when it ended, as the service says or, where it is silent, as it was seen; None while it runs.
        startup_seconds: measured from acceptance to the start of training.
        training_seconds: as the service says.
        billable_seconds: as the service says, of the cluster, before the instance count.
        retained_seconds: the idle time of its pool, as the service says, before the instance count;
            0 with ``retained_final`` when it left no pool.
        retained_final: the pool is Reused or Terminated, or there never was one.
        start: whether the job started on a warm pool; None while undecided.
        idle_until: when its pool ended or was reused; None while the pool idles.
        expires_at: when the service ends the idle pool by itself; an estimate of idle time stops there.
        install_seconds: of the training time, how long packages were installed.
        upload_seconds: of the training time, how long artifacts were uploaded.
        lane: the lane that submitted it; its jobs follow one another, and run beside those of other lanes.
    """

    number: int
    instance_count: int
    started_at: float | None
    training_started_at: float | None
    ended_at: float | None
    startup_seconds: float | None
    training_seconds: float | None
    billable_seconds: float | None
    retained_seconds: float | None
    retained_final: bool
    start: Literal["cold", "warm"] | None
    idle_until: float | None
    expires_at: float | None = None
    install_seconds: float | None = None
    upload_seconds: float | None = None
    lane: int = 0

    @classmethod
    def of(cls, job: Job, instance_count: int) -> JobCost:
        """The job as the ledger sees it."""
        poolless = job.is_terminal and job.keep_alive == 0
        return cls(
            lane=job.lane,
            number=job.number,
            instance_count=instance_count,
            started_at=job.created_at,
            training_started_at=job.started_at,
            ended_at=job.ended_at,
            startup_seconds=job.startup_seconds,
            training_seconds=job.training_seconds,
            install_seconds=job.install_seconds,
            upload_seconds=job.upload_seconds,
            billable_seconds=job.billable_seconds,
            retained_seconds=0.0 if poolless else job.retained_seconds,
            retained_final=job.pool_status in POOL_OVER or job.pool_ended_at is not None or poolless,
            start=job.start,
            idle_until=job.pool_ended_at,
            expires_at=job.ended_at + job.keep_alive if job.ended_at and job.keep_alive else job.ended_at,
        )

    @property
    def running(self) -> bool:
        """Whether the job goes on: no end is known, and no pool of it is over."""
        return self.ended_at is None and not self.retained_final

    @property
    def startup(self) -> float | None:
        """Seconds from acceptance to the start of training: measured, else from the two moments."""
        if self.startup_seconds is not None:
            return self.startup_seconds
        return span(self.started_at, self.training_started_at)

    @property
    def provisioning(self) -> float | None:
        """Seconds of the startup before TrainingStartTime. What comes after it (downloads) is billed already."""
        known = span(self.started_at, self.training_started_at)
        return self.startup_seconds if known is None else known


def bill(seconds: float, usd_per_hour: float, instance_count: int = 1) -> float:
    """US dollars for so many seconds of a cluster."""
    return seconds * instance_count * usd_per_hour / HOUR


def wall_seconds(jobs: Sequence[JobCost], now: float) -> float | None:
    """Seconds from the first acceptance to the last end, or to ``now`` while a job runs; None if unknown."""
    if not jobs:
        return 0.0
    starts = [job.started_at for job in jobs if job.started_at is not None]
    ends = [now if job.running else job.ended_at for job in jobs]
    known = [end for end in ends if end is not None]
    return max(0.0, max(known) - min(starts)) if starts and known else None


def gaps_between(jobs: Sequence[JobCost]) -> tuple[float, ...]:
    """Seconds from the end of each job to the acceptance of its lane's next, where both are known."""
    ordered = sorted(jobs, key=lambda job: job.lane)  # stable: in order of number within each lane
    pairs = ((before, after) for before, after in pairwise(ordered) if before.lane == after.lane)
    spans = (span(before.ended_at, after.started_at) for before, after in pairs)
    return tuple(span for span in spans if span is not None)


def measured_starts(jobs: Sequence[JobCost], start: Literal["cold", "warm"]) -> tuple[float, ...]:
    """The startup seconds of the jobs that started so, where they are known."""
    return tuple(job.startup for job in jobs if job.start == start and job.startup is not None)


def median_of(measured: Sequence[float], assumed: float) -> float:
    """The median of what was measured; what is assumed where nothing was."""
    # `statistics` has it too, and loads a dozen modules, at the start of every verb that shows a loop.
    ordered = sorted(measured)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2 if ordered else assumed


def span(start: float | None, end: float | None) -> float | None:
    """Seconds between two moments, None if either is; clocks that disagree give 0, not a negative length."""
    return None if start is None or end is None else max(0.0, end - start)
