"""The pool's time, cut into phases. Pure: rows in, segments out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wpfsm.adapters.report.facts import Facts
from wpfsm.fsm.records import Job

Phase = Literal["cold start", "warm start", "starting", "training", "failed", "idle"]
PHASES: tuple[Phase, ...] = ("cold start", "warm start", "starting", "training", "failed", "idle")


@dataclass(frozen=True)
class Segment:
    """One phase of one job. Moments are epoch seconds.

    Attributes:
        job: The job's number.
        phase: What the instances did.
        start: When it began.
        end: When it ended, or the moment of the report.
        note: More about it, in words.
        estimated: Its end is wpfsm's own figure and not the service's.
    """

    job: int
    phase: Phase
    start: float
    end: float
    note: str = ""
    estimated: bool = False

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.start


def segments(facts: Facts) -> list[Segment]:
    """Every phase of every job, in order of time; a phase whose times are not known is left out."""
    found = [segment for job in facts.jobs for segment in _of(facts, job) if segment.seconds > 0]
    return sorted(found, key=lambda segment: (segment.start, segment.job))


def _of(facts: Facts, job: Job) -> list[Segment]:
    if job.created_at is None:
        return []
    over = job.is_terminal
    end = job.ended_at or facts.now
    started = min(job.started_at, end) if job.started_at is not None else None
    phases = [Segment(job.number, _starting(job), job.created_at, started or end, note=_startup(job))]
    if started is not None:
        ran: Phase = "failed" if job.status == "Failed" else "training"
        phases.append(Segment(job.number, ran, started, end, note=job.status, estimated=not over))
    line = facts.line(job)
    if over and job.ended_at is not None and line and line.retained_seconds:
        idle = line.retained_seconds / facts.instances
        phases.append(
            Segment(job.number, "idle", job.ended_at, job.ended_at + idle, _idle(job), line.estimated)
        )
    return phases


def _starting(job: Job) -> Phase:
    return {"cold": "cold start", "warm": "warm start"}.get(job.start or "", "starting")  # type: ignore[return-value]


def _startup(job: Job) -> str:
    if job.started_at is None and job.is_terminal:
        return "never began to train"
    return f"took over the pool of {job.reuse_of}" if job.reuse_of else ""


def _idle(job: Job) -> str:
    if job.reused_by:
        return f"until {job.reused_by} took it over"
    return {"Terminated": "until it was terminated", "Available": "still there"}.get(job.pool_status, "")
