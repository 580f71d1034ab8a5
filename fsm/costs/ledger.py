"""What a loop cost in seconds and dollars, and what the same loop would have cost cold.

Sources of the rules: API reference of DescribeTrainingJob (BillableTimeInSeconds runs from TrainingStartTime
to TrainingEndTime and is multiplied by the instance count) and of WarmPoolStatus
(ResourceRetainedBillableTimeInSeconds, likewise, final once the pool is Reused or Terminated); developer
guide, train-warm-pools: an idle pool is billed. The rate of an idle pool is taken to be the training rate,
for which AWS publishes no usage type of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from wpfsm.fsm.costs.job_cost import JobCost, bill, measured_starts, median_of, span, wall_seconds
from wpfsm.fsm.records import Price
from wpfsm.fsm.records.price import PriceSource

ASSUMED_COLD_START = 300.0
"""Seconds. Stands in for a cold start only where the loop has not measured one of its own."""


@dataclass(frozen=True)
class LedgerLine:
    """One job's row. Billable and retained are instance-seconds: what is billed, the instance count included.

    Attributes:
        number: the job's number.
        startup_seconds: from acceptance to the start of training, or so far.
        training_seconds: of training, or so far; installation and upload are in it.
        install_seconds: of these, before the script began.
        upload_seconds: of these, after it ended.
        trained_seconds: what is left of them, times the instance count; None while a part is unknown.
        billable_seconds: billed training, times the instance count.
        retained_seconds: billed idle time of the pool after this job, times the instance count.
        cost_usd: the known part of the job's cost; None when no part or no price is known.
        estimated: some figure is wpfsm's own and not yet the service's.
        complete: no part of the cost is unknown for want of times.
    """

    number: int
    startup_seconds: float | None
    training_seconds: float | None
    install_seconds: float | None
    upload_seconds: float | None
    trained_seconds: float | None
    billable_seconds: float | None
    retained_seconds: float | None
    cost_usd: float | None
    estimated: bool
    complete: bool


@dataclass(frozen=True)
class ColdLoop:
    """The same loop with every start cold and no idle pool.

    Attributes:
        wall_seconds: its wall time; the gaps between jobs stay as they were.
        cost_usd: its cost; idle time falls away, and provisioning counts where it is billed.
        start_seconds: the cold start that stands in for each warm one.
        measured: that figure is the median of this loop's own cold starts, not ``ASSUMED_COLD_START``.
    """

    wall_seconds: float | None
    cost_usd: float | None
    start_seconds: float
    measured: bool


@dataclass(frozen=True)
class Ledger:
    """The cost of a loop. Totals are sums of what is known; ``complete`` says whether that is all.

    Attributes:
        jobs: one line per job.
        startup_seconds: sum over jobs.
        install_seconds: sum over jobs.
        upload_seconds: sum over jobs.
        billable_seconds: instance-seconds of training.
        retained_seconds: instance-seconds of idle pool.
        trained_share: of the billed instance-seconds, idle ones included, the share in which scripts ran; None where
            some job's is not known.
        wall_seconds: from the first acceptance to the last end (to now while a job runs).
        cost_usd: None when the price, or every part, is unknown.
        cold: the same loop run cold.
        saved_seconds: wall time against ``cold``.
        saved_usd: against ``cold``; negative where idle time cost more than cold starts would have.
        speedup: wall time of ``cold`` over wall time.
        final: no figure is an estimate: what is known is the service's and final.
        complete: no job lacks a part of its cost for want of times.
        price_per_hour: US dollars per instance and hour; None when unknown.
        price_source: where the price comes from.
        price_date: the date of the price.
        bill_provisioning: startup is counted as billed (the documented rule: it is not).
    """

    jobs: tuple[LedgerLine, ...]
    startup_seconds: float | None
    install_seconds: float | None
    upload_seconds: float | None
    billable_seconds: float | None
    retained_seconds: float | None
    trained_share: float | None
    wall_seconds: float | None
    cost_usd: float | None
    cold: ColdLoop
    saved_seconds: float | None
    saved_usd: float | None
    speedup: float | None
    final: bool
    complete: bool
    price_per_hour: float | None
    price_source: PriceSource | None
    price_date: str | None
    bill_provisioning: bool

    @property
    def unknown_jobs(self) -> int:
        """How many jobs lack a part of their cost for want of times."""
        return sum(not line.complete for line in self.jobs)

    @classmethod
    def of(
        cls,
        jobs: Sequence[JobCost],
        price: Price | None,
        now: float,
        bill_provisioning: bool = False,
        *,
        assumed_cold_start: float = ASSUMED_COLD_START,
    ) -> Ledger:
        """Adds up what the jobs cost.

        Args:
            jobs: what is known of each job, in order of number.
            price: of one instance; None when unknown, and then every dollar figure is None.
            now: epoch seconds, the end of whatever still runs or idles.
            bill_provisioning: count the startup up to TrainingStartTime as billed; the documented rule is that it is
                not. What follows TrainingStartTime (downloads of data and image) is billed under both rules.
            assumed_cold_start: seconds, used for the cold loop only if the loop has measured no cold start.
        """
        rate = None if price is None else price.usd_per_hour
        lines = tuple(_line(job, rate, now, bill_provisioning) for job in jobs)
        wall = wall_seconds(jobs, now)
        cost = _total(line.cost_usd for line in lines) if rate is not None else None
        provisioned = [_provisioning(job, now) for job in jobs] if bill_provisioning else None
        cold = _cold(jobs, lines, wall, rate, provisioned, assumed_cold_start)
        return cls(
            jobs=lines,
            startup_seconds=_total(line.startup_seconds for line in lines),
            install_seconds=_total(line.install_seconds for line in lines),
            upload_seconds=_total(line.upload_seconds for line in lines),
            billable_seconds=_total(line.billable_seconds for line in lines),
            trained_share=_trained_share(lines),
            retained_seconds=_total(line.retained_seconds for line in lines),
            wall_seconds=wall,
            cost_usd=cost,
            cold=cold,
            saved_seconds=_difference(cold.wall_seconds, wall),
            saved_usd=_difference(cold.cost_usd, cost),
            speedup=cold.wall_seconds / wall if cold.wall_seconds is not None and wall else None,
            final=not any(line.estimated for line in lines),
            complete=all(line.complete for line in lines),
            price_per_hour=rate,
            price_source=None if price is None else price.source,
            price_date=None if price is None else price.as_of,
            bill_provisioning=bill_provisioning,
        )

    def to_json(self) -> dict[str, object]:
        """The ledger as plain JSON values: unknown is null, dollars keep six decimals; ``final`` is called settled."""
        return {"settled" if name == "final" else name: _plain(value) for name, value in asdict(self).items()}


def _line(job: JobCost, rate: float | None, now: float, bill_provisioning: bool) -> LedgerLine:
    startup = job.startup
    if startup is None and job.running:
        startup = span(job.started_at, now)
    training, _ = _training(job, now)
    billable, billable_estimated = _billable(job, now)
    retained, retained_estimated = _retained(job, now)
    parts = [billable, retained, _provisioning(job, now)] if bill_provisioning else [billable, retained]
    known = [part for part in parts if part is not None]
    return LedgerLine(
        number=job.number,
        startup_seconds=startup,
        training_seconds=training,
        install_seconds=job.install_seconds,
        upload_seconds=job.upload_seconds,
        trained_seconds=_trained(job, training),
        billable_seconds=_scaled(billable, job.instance_count),
        retained_seconds=_scaled(retained, job.instance_count),
        cost_usd=bill(sum(known), rate, job.instance_count) if known and rate is not None else None,
        estimated=billable_estimated or retained_estimated,
        complete=len(known) == len(parts),
    )


def _provisioning(job: JobCost, now: float) -> float | None:
    """Seconds before the service's own billing starts, or so far."""
    if job.provisioning is None and job.running:
        return span(job.started_at, now)
    return job.provisioning


def _training(job: JobCost, now: float) -> tuple[float | None, bool]:
    """Seconds of training, and whether they are estimated."""
    if job.training_seconds is not None:
        return job.training_seconds, False
    seconds = span(job.training_started_at, now if job.running else job.ended_at)
    return seconds, seconds is not None


def _trained(job: JobCost, training: float | None) -> float | None:
    """Instance-seconds in which the script ran."""
    if training is None or job.install_seconds is None:
        return None
    seconds = training - job.install_seconds - (job.upload_seconds or 0.0)
    return max(0.0, seconds) * job.instance_count


def _trained_share(lines: Sequence[LedgerLine]) -> float | None:
    """The billed seconds in which scripts ran over all billed seconds; a job that was never billed counts for none."""
    billed = [line for line in lines if line.billable_seconds]
    if not billed or any(line.trained_seconds is None for line in billed):
        return None
    paid = sum((line.billable_seconds or 0.0) + (line.retained_seconds or 0.0) for line in lines)
    return min(1.0, sum(line.trained_seconds or 0.0 for line in billed) / paid)


def _billable(job: JobCost, now: float) -> tuple[float | None, bool]:
    """Billed seconds of the cluster while it trained, and whether they are estimated."""
    if job.billable_seconds is not None:
        return job.billable_seconds, False
    if job.running and job.training_started_at is None:
        return 0.0, True  # still starting: no billed second has passed yet
    seconds, _ = _training(job, now)
    return seconds, seconds is not None


def _retained(job: JobCost, now: float) -> tuple[float | None, bool]:
    """Billed seconds of the idle cluster after the job, and whether they are estimated."""
    if job.retained_final and job.retained_seconds is not None:
        return job.retained_seconds, False
    if job.running:
        return 0.0, True
    until = job.idle_until
    if until is None and job.expires_at is not None:
        until = min(now, job.expires_at)  # at the latest: the estimate errs on the dear side
    elif until is None and not job.retained_final:
        until = now
    seconds = span(job.ended_at, until)
    certain = job.retained_final and seconds == 0  # it had no time to idle in
    return seconds, seconds is not None and not certain


def _cold(
    jobs: Sequence[JobCost],
    lines: Sequence[LedgerLine],
    wall: float | None,
    rate: float | None,
    provisioned: Sequence[float | None] | None,
    assumed_cold_start: float,
) -> ColdLoop:
    """A job of unknown start or startup is left as it was, so that no saving is claimed for it.

    ``provisioned`` are the billed seconds of each job's start; None where starting up is not billed.
    """
    measured = measured_starts(jobs, "cold")
    cold_start = median_of(measured, assumed_cold_start)
    extra = [
        cold_start - job.startup if job.start == "warm" and job.startup is not None else 0.0 for job in jobs
    ]
    cost = None
    if rate is not None and (not lines or any(line.cost_usd is not None for line in lines)):
        billed = [line.billable_seconds or 0.0 for line in lines]
        if provisioned is not None:
            billed += [
                ((seconds or 0.0) + more) * job.instance_count
                for job, seconds, more in zip(jobs, provisioned, extra, strict=True)
            ]
        cost = bill(sum(billed), rate)
    return ColdLoop(
        wall_seconds=None if wall is None else wall + _longest(jobs, extra),
        cost_usd=cost,
        start_seconds=cold_start,
        measured=bool(measured),
    )


def _longest(jobs: Sequence[JobCost], extra: Sequence[float]) -> float:
    """What cold starts would add to the wall time: the most of any lane, for lanes run beside one another."""
    by_lane: dict[int, float] = {}
    for job, more in zip(jobs, extra, strict=True):
        by_lane[job.lane] = by_lane.get(job.lane, 0.0) + more
    return max(by_lane.values(), default=0.0)


def _scaled(seconds: float | None, count: int) -> float | None:
    return None if seconds is None else seconds * count


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _total(values: Iterable[float | None]) -> float | None:
    """The sum of the known values; 0 of no values, None when there are values and none is known."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return sum(known) if known or not listed else None


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6) + 0.0  # a difference below the last decimal is 0.0, and never -0.0
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
