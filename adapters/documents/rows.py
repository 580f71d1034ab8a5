"""What the documents read from the rows: the price, the ledger, the best trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wpfsm.fsm.costs.job_cost import JobCost
from wpfsm.fsm.costs.ledger import Ledger
from wpfsm.fsm.pool.owner import as_reused
from wpfsm.fsm.records import JSON, Job, Loop, Trial, as_mapping


def instances(loop: Loop) -> int:
    """Instances of each job."""
    count = section(loop, "pool").get("instance_count")
    return count if isinstance(count, int) else 1


def section(loop: Loop, name: str) -> Mapping[str, JSON]:
    """A mapping of the effective loop file."""
    return as_mapping(loop.loop_file.get(name))


def ledger_of(loop: Loop, jobs: Sequence[Job], now: float) -> Ledger:
    """The loop's ledger as of ``now``."""
    billed = bool(section(loop, "forecast").get("bill_provisioning"))
    explained = as_reused(jobs) if loop.lane else jobs
    costs = [JobCost.of(job, instances(loop)) for job in explained if job.arn]
    return Ledger.of(costs, loop.price, loop.closed_at or now, billed)


def averaged(trials: Sequence[Trial]) -> list[Trial]:
    """Each trial once, with the mean of its repeats."""
    groups: dict[int, list[float]] = {}
    for trial in trials:
        if trial.state == "completed" and trial.metric is not None:
            groups.setdefault(trial.repeat_of or trial.number, []).append(trial.metric)
    return [
        replace(trial, metric=sum(values) / len(values))
        if len(values := groups.get(trial.number, [])) > 1
        else trial
        for trial in trials
        if trial.repeat_of is None
    ]


def best_of(loop: Loop, trials: Sequence[Trial]) -> Trial | None:
    """The completed trial with the best metric; a missing metric is never best, nor is a smoke trial."""
    goal = section(loop, "metric").get("goal")
    measured = [
        t for t in averaged(trials) if t.state == "completed" and t.metric is not None and not t.smoke
    ]
    if not goal or not measured:
        return None
    choose = min if goal == "minimize" else max
    return choose(measured, key=lambda t: t.metric or 0.0)


def phases_of(loop: Loop) -> list[Mapping[str, JSON]]:
    """The strategies of the effective loop file in order, one or several."""
    given = loop.loop_file.get("strategy")
    listed = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    return [each for each in listed if isinstance(each, Mapping)]
