"""A loop as an experiment tracker has it: a run for the loop, and a run for each trial."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from wpfsm.adapters.documents.rows import best_of, ledger_of, phases_of, section
from wpfsm.fsm.costs.ledger import Ledger
from wpfsm.fsm.failures.redact import MASK, is_secret_name, redact
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import JSON, Curve, Job, Loop, State, Trial
from wpfsm.fsm.request.compose import run_name

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
LOOP_TAG, TRIAL_TAG, DIGEST_TAG = "wpfsm.loop", "wpfsm.trial", "wpfsm.digest"
"""Tags by which a run is found again, and what was sent of it last."""
MOST_VALUE = 5000
"""Characters of a tag or parameter."""
_ENDS: Mapping[str, Status] = {"completed": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
_NAME = re.compile(r"[^\w\-. :/]")


@dataclass(frozen=True)
class TrackedRun:
    """One run.

    Attributes:
        trial: The trial's number; 0 for the loop's own run.
        name: As the tracker shows it.
        status: Where it is.
        began: Seconds since the epoch.
        ended: Likewise; None while it runs.
        params: What was tried; known once the trial has ended, for a patch may change it.
        metrics: Values that a run has once.
        series: Reports of each metric: number, time, value.
        tags: The rest.
    """

    trial: int
    name: str
    status: Status
    began: float
    ended: float | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, tuple[tuple[int, float, float | None], ...]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal for a run of which nothing new is to be sent."""
        members = [self.name, self.status, self.ended, self.params, self.metrics, self.tags]
        whole = json.dumps(
            [*members, {name: len(points) for name, points in self.series.items()}], sort_keys=True
        )
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def tracked_runs(history: History, loop_id: str, now: float) -> list[TrackedRun]:
    """The loop's run first, then one for each trial that has a job or took over a result."""
    loop = history.find(loop_id)
    trials, jobs, curves = history.trials(loop.id), history.jobs(loop.id), history.curves(loop.id)
    ledger = ledger_of(loop, jobs, now)
    best = best_of(loop, trials)
    of_trials = []
    for trial in trials:
        own = [job for job in jobs if job.trial == trial.number]
        if own or (trial.taken_from is not None and trial.state == "completed"):
            of_trials.append(_of_trial(loop, trial, own, curves, ledger, best))
    return [_of_loop(loop, ledger, best), *of_trials]


def _of_loop(loop: Loop, ledger: Ledger, best: Trial | None) -> TrackedRun:
    closed = loop.state is State.CLOSED
    metrics: dict[str, float | None] = {}
    if closed:
        metrics = {"cost_usd": ledger.cost_usd, "wall_seconds": ledger.wall_seconds, "jobs": len(ledger.jobs)}
        if best and best.metric is not None:
            metrics[f"best {section(loop, 'metric').get('name')}"] = best.metric
    failed = closed and loop.outcome is not None and loop.outcome not in ("goal_met", "completed")
    stopped = loop.outcome in ("stopped", "abandoned", "interrupted", "terminated")
    pool = section(loop, "pool")
    strategies = " then ".join(str(phase.get("type")) for phase in phases_of(loop))
    return TrackedRun(
        trial=0,
        name=loop.id,
        status="RUNNING" if not closed else "KILLED" if stopped else "FAILED" if failed else "FINISHED",
        began=loop.created_at,
        ended=loop.closed_at,
        params=_texts(
            {
                "strategy": strategies,
                "backend": loop.backend,
                "region": loop.region,
                "instance_type": pool.get("instance_type"),
                "instance_count": pool.get("instance_count"),
            }
        ),
        metrics=_known(metrics),
        tags=_texts(
            {
                LOOP_TAG: loop.id,
                TRIAL_TAG: 0,
                "wpfsm.name": loop.name,
                "wpfsm.outcome": str(loop.outcome) if loop.outcome else None,
                "wpfsm.why": loop.why if closed else None,
                "wpfsm.best_trial": best.number if closed and best else None,
            }
        ),
    )


def _of_trial(
    loop: Loop, trial: Trial, jobs: Sequence[Job], curves: Sequence[Curve], ledger: Ledger, best: Trial | None
) -> TrackedRun:
    last = jobs[-1] if jobs else None
    over = trial.state in _ENDS
    lines = [line for line in ledger.jobs if line.number in {job.number for job in jobs}]
    final = over and all(not line.estimated for line in lines)
    costs = [line.cost_usd for line in lines]
    metrics: dict[str, float | None] = {
        "cost_usd": sum(cost for cost in costs if cost is not None)
        if final and None not in costs and costs
        else None,
        "billable_seconds": last.billable_seconds if last and over else None,
        "startup_seconds": last.startup_seconds if last and over else None,
    }
    series = {
        _name(curve.metric): curve.points for curve in curves if over and last and curve.job == last.number
    }
    values = {**(last.metrics if last and over else {}), **_goal_value(loop, trial)}
    metrics |= {
        _name(name): float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and _name(name) not in series
    }
    return TrackedRun(
        trial=trial.number,
        name=run_name(loop.id, trial.number),
        status=_ENDS.get(trial.state, "RUNNING"),
        began=(jobs[0].created_at if jobs else None) or loop.created_at,
        ended=(last.ended_at if last else loop.updated_at) if over else None,
        params=_texts(dict(last.params if last else trial.params)) if over else {},
        metrics=_known(metrics),
        series=series,
        tags=_texts(
            {
                LOOP_TAG: loop.id,
                TRIAL_TAG: trial.number,
                "wpfsm.label": trial.label,
                "wpfsm.phase": trial.phase,
                "wpfsm.note": trial.note or None,
                "wpfsm.verdict": trial.verdict or None,
                "wpfsm.verdict_why": trial.verdict_why or None,
                "wpfsm.best": "true" if over and best and best.number == trial.number else None,
                "wpfsm.failure": last.diagnosis.class_ if last and last.diagnosis else None,
                "wpfsm.jobs": " ".join(job.name for job in jobs) or None,
                "wpfsm.start": last.start if last else None,
                "wpfsm.source": (last.source_digest or None) if last else None,
                "wpfsm.taken_from": trial.taken_from,
            }
        ),
    )


def _goal_value(loop: Loop, trial: Trial) -> dict[str, JSON]:
    name = section(loop, "metric").get("name")
    return {str(name): trial.metric} if name and trial.metric is not None else {}


def _name(name: str) -> str:
    """A metric's or parameter's name in the characters that MLflow takes."""
    return _NAME.sub("_", name)[:250]


def _texts(values: Mapping[str, JSON]) -> dict[str, str]:
    """Values as texts without secrets; what is unknown is left out."""
    return {
        _name(name): MASK if is_secret_name(name) else redact(_text(value))[:MOST_VALUE]
        for name, value in values.items()
        if value is not None
    }


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if value is not None}
