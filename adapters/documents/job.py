"""Everything about one job: what was asked, with which source, what it printed, what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.loop import job_object
from wpfsm.adapters.documents.rows import ledger_of, section
from wpfsm.adapters.documents.untrusted import fenced
from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.failures.redact import redact_stream
from wpfsm.fsm.ports import History, LogArchive, Sources
from wpfsm.fsm.records import JSON, Curve, Intent, Job, Loop, Obligation
from wpfsm.fsm.units import stamp

TAIL = 20
"""Lines of the log that are shown; ``wpfsm logs`` has the rest."""


def job_of(history: History, loop: Loop, number: int | None) -> Job:
    """A job of a loop by number; the newest one for None.

    Raises:
        NotFound: The loop has no such job.
    """
    jobs = history.jobs(loop.id)
    found = next((job for job in reversed(jobs) if number is None or job.number == number), None)
    if found is None:
        has = f"it has jobs 1 to {len(jobs)}" if jobs else "it has none yet"
        which = "no job" if number is None else f"no job {number}"
        raise NotFound(f"loop {loop.id} has {which}", fix=f"{has}; wpfsm inspect {loop.id} lists them")
    return found


def job_document(
    history: History, archive: LogArchive, sources: Sources, loop: Loop, job: Job, now: float
) -> dict[str, JSON]:
    """What ``inspect ID --job N`` prints."""
    jobs = history.jobs(loop.id)
    before = next((other for other in jobs if other.number == job.number - 1), None)
    obligation = next((o for o in history.obligations(loop.id) if o.job_name == job.name), None)
    intents = [intent for intent in history.intents(loop.id) if intent.job_name == job.name]
    return {
        "schema": SCHEMA,
        "loop": {"id": loop.id, "name": loop.name, "state": str(loop.state)},
        "job": {
            **job_object(loop, job, before, ledger_of(loop, jobs, now)),
            "arn": job.arn or None,
            "reuse_of": job.reuse_of or None,
            "keep_alive_seconds": job.keep_alive,
            "max_runtime_seconds": job.max_runtime,
            "started_at": stamp(job.started_at),
            "pool_ended_at": stamp(job.pool_ended_at),
        },
        "curves": curves_object(history.curves(loop.id), job.number),
        "request": _request(history, loop, job),
        "request_digest": job.request_digest,
        "transitions": list(job.transitions),
        "diff": _diff(sources, before, job),
        "log": {
            "path": archive.path(job.name),
            **fenced({"tail": list(redact_stream(archive.tail(job.name, TAIL)))}, "tail"),
        },
        "intents": [_intent(intent) for intent in intents],
        "obligation": _obligation(obligation) if obligation else None,
    }


def curves_object(curves: Sequence[Curve], number: int) -> dict[str, JSON]:
    """What a job reported of each metric: how often, and points of the curve with their times."""
    return {
        curve.metric: {
            "reports": curve.reports,
            "points": [{"report": n, "at": stamp(at), "value": value} for n, at, value in curve.points],
        }
        for curve in curves
        if curve.job == number
    }


def _request(history: History, loop: Loop, job: Job) -> dict[str, JSON]:
    """The whole request: the base that was rendered, and the members that this job changed."""
    trial = next(t for t in history.trials(loop.id) if t.number == job.trial)
    entry = trial.entry or section(loop, "job").get("entry") or ""
    return {**history.rendered(loop.id, f"{job.source_digest}:{entry}"), **job.request}


def _diff(sources: Sources, before: Job | None, job: Job) -> str | None:
    """The source against that of the job before; None when it is the same or there was none."""
    if before is None or not before.source_digest or before.source_digest == job.source_digest:
        return None
    return sources.diff(before.source_digest, job.source_digest) if job.source_digest else None


def _intent(intent: Intent) -> dict[str, JSON]:
    return {
        "kind": intent.kind,
        "number": intent.number,
        "argument": intent.argument,
        "status": intent.status,
        "sent_at": stamp(intent.sent_at),
        "answer": intent.answer or None,
    }


def _obligation(obligation: Obligation) -> dict[str, JSON]:
    return {
        "status": obligation.status,
        "evidence": obligation.evidence or None,
        "discharged_at": stamp(obligation.discharged_at),
    }
