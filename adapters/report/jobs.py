"""The table of jobs: a row a job, and what changed from the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.words import NONE
from wpfsm.fsm.records import JSON, Job
from wpfsm.fsm.units import usd


@dataclass(frozen=True)
class Row:
    """One job, as the table shows it. Seconds are per instance.

    Attributes:
        job: Its row in the database.
        trial: Which trial it ran, in words.
        changed: What differs from the job before.
        value: Its metric.
        is_best: It gave the best trial its metric.
        training: Seconds of training, installation and upload included.
        idle: Seconds of the idle pool after it.
        cost: Dollars.
        opens: The phase that begins with this job; None within one, and for a loop of one phase.
    """

    job: Job
    trial: str
    changed: str
    value: float | None
    is_best: bool
    training: float | None
    idle: float | None
    cost: str
    opens: Mapping[str, JSON] | None

    @property
    def tone(self) -> Literal["", "best", "failed"]:
        """How the row is coloured."""
        return "best" if self.is_best else "failed" if self.job.diagnosis is not None else ""


def rows(facts: Facts) -> list[Row]:
    """Every job in order."""
    before = [0, *(facts.phase(job) for job in facts.jobs)]
    return [_row(facts, job, earlier) for earlier, job in zip(before, facts.jobs, strict=False)]


def _row(facts: Facts, job: Job, earlier: int) -> Row:
    phase = facts.phase(job)
    line, trial = facts.line(job), facts.trial(job)
    return Row(
        job=job,
        trial=f"trial {job.trial}" + (", smoke run" if trial and trial.smoke else ""),
        changed=", ".join(facts.changed(job)) or "nothing",
        value=facts.value(job),
        is_best=facts.is_best(job),
        training=line.training_seconds if line else None,
        idle=(line.retained_seconds or 0.0) / facts.instances if line else None,
        cost=usd(line.cost_usd, estimated=line.estimated) if line else NONE,
        opens=facts.phases[phase - 1] if phase != earlier and len(facts.phases) > 1 else None,
    )
