"""Everything that the page says, gathered from the rows once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wpfsm.adapters.documents.phase import phase_objects
from wpfsm.adapters.documents.rows import best_of, ledger_of, section
from wpfsm.fsm.costs.ledger import Ledger, LedgerLine
from wpfsm.fsm.ports import History, Sources
from wpfsm.fsm.records import JSON, Curve, Event, Job, Loop, Obligation, Trial


@dataclass(frozen=True)
class Facts:
    """One loop as of ``now``.

    Attributes:
        loop: The loop's row.
        jobs: Its jobs, by number.
        trials: Its trials, by number.
        events: Its history.
        obligations: What it owed.
        ledger: What it cost.
        best: The best trial.
        phases: The strategies of the loop file in order, as the documents have them; one or several.
        diffs: Unified diff of the source from a job to the next one of its trial, by the job's number.
        now: Epoch seconds.
        instances: Instances of each job.
        curves: What each job reported of each metric.
        metric: The metric's name; empty without one.
        goal: ``minimize`` or ``maximize``.
    """

    loop: Loop
    jobs: Sequence[Job]
    trials: Sequence[Trial]
    events: Sequence[Event]
    obligations: Sequence[Obligation]
    ledger: Ledger
    best: Trial | None
    phases: Sequence[Mapping[str, JSON]]
    diffs: Mapping[int, str]
    now: float
    instances: int
    curves: Sequence[Curve]
    metric: str
    goal: str

    def line(self, job: Job) -> LedgerLine | None:
        """The job's line of the ledger."""
        return next((line for line in self.ledger.jobs if line.number == job.number), None)

    def trial(self, job: Job) -> Trial | None:
        """The job's trial."""
        return next((trial for trial in self.trials if trial.number == job.trial), None)

    def phase(self, job: Job) -> int:
        """Number of the phase that the job's trial belongs to, from 1."""
        trial = self.trial(job)
        return trial.phase if trial else 1

    def label(self, job: Job) -> str:
        """What the job tried, in words."""
        trial = self.trial(job)
        return trial.label if trial else ""

    def value(self, job: Job) -> float | None:
        """The job's metric; None when it has none."""
        value = job.metrics.get(self.metric) if self.metric else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def is_best(self, job: Job) -> bool:
        """Whether this job gave the best trial its metric."""
        last = next((j for j in reversed(self.jobs) if self.best and j.trial == self.best.number), None)
        return last is not None and last.number == job.number

    def changed(self, job: Job) -> list[str]:
        """What differs from the job before, in words; the parameters of the first one."""
        before = next((j for j in self.jobs if j.number == job.number - 1), None)
        old = before.params if before else {}
        changed = [
            f"{name}={_plain(value)}" for name, value in job.params.items() if old.get(name, ...) != value
        ]
        if before and before.source_digest != job.source_digest:
            changed.append("source")
        return changed

    def owed(self) -> list[str]:
        """Jobs whose pool is not known to be gone."""
        return [o.job_name for o in self.obligations if o.status == "owed"]


def gather(history: History, loop: Loop, sources: Sources, now: float) -> Facts:
    """Read the rows of a loop."""
    jobs, trials = history.jobs(loop.id), history.trials(loop.id)
    metric = section(loop, "metric")
    count = section(loop, "pool").get("instance_count")
    ledger = ledger_of(loop, jobs, now)
    return Facts(
        loop=loop,
        jobs=jobs,
        trials=trials,
        events=list(history.events(loop.id)),
        obligations=history.obligations(loop.id),
        ledger=ledger,
        best=best_of(loop, trials),
        phases=phase_objects(loop, trials, jobs, ledger),
        diffs=_diffs(jobs, sources),
        now=loop.closed_at or now,
        instances=count if isinstance(count, int) else 1,
        curves=history.curves(loop.id),
        metric=str(metric.get("name") or ""),
        goal=str(metric.get("goal") or ""),
    )


def _diffs(jobs: Sequence[Job], sources: Sources) -> dict[int, str]:
    """What each patch did to the source: the job against the next one of its trial."""
    found: dict[int, str] = {}
    for job in jobs:
        if job.patch and (diff := job.patch.diff):
            found[job.number] = diff
            continue
        after = next((j for j in jobs if j.number > job.number and j.trial == job.trial), None)
        if after and job.source_digest and after.source_digest not in ("", job.source_digest):
            found[job.number] = sources.diff(job.source_digest, after.source_digest)
    return found


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
