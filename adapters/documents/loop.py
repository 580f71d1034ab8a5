"""The JSON documents of the command line: one object a verb, schema ``wpfsm/1``.

Built from rows alone. Imports nothing that is slow to import.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.job_changes import changes
from wpfsm.adapters.documents.lanes import lane_objects, standing
from wpfsm.adapters.documents.liveness import Liveness
from wpfsm.adapters.documents.phase import phase_objects
from wpfsm.adapters.documents.rows import (
    best_of,
    instances,
    ledger_of,
    phases_of,
    section,
)
from wpfsm.fsm.costs.ledger import Ledger, LedgerLine
from wpfsm.fsm.errors import FIX, WpfsmError
from wpfsm.fsm.records import EXIT_CODES, JSON, Event, Job, Loop, LoopHeader, Outcome, Proposal, State, Trial
from wpfsm.fsm.units import stamp

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History

_NOT_BEGUN = frozenset({Outcome.REFUSED, Outcome.DENIED, Outcome.TRANSIENT})
"""Outcomes after which the thing to do is to mend the cause and start again."""


def loops_document(loops: Sequence[tuple[LoopHeader, Event | None, Liveness | None]]) -> dict[str, JSON]:
    """What ``inspect`` prints without an id: newest first.

    Args:
        loops: Each with its last event and its controller; a closed one needs neither.
    """
    return {
        "schema": SCHEMA,
        "loops": [
            {
                "id": h.id,
                "name": h.name,
                "state": h.state,
                "outcome": h.outcome,
                "why": _happened(h.why) or (last.why if last else ""),
                "backend": h.backend,
                "created_at": stamp(h.created_at),
                "updated_at": stamp(h.updated_at),
                "jobs": h.jobs,
                "handoff": h.handoff,
                "alive": controller.alive if controller else False,
            }
            for h, last, controller in loops
        ],
    }


def loop_document(
    history: History, loop: Loop, now: float | None = None, controller: Liveness | None = None
) -> dict[str, JSON]:
    """What ``start``, ``resume``, ``wait`` and ``inspect ID`` print.

    Args:
        history: Where the rows are.
        loop: The loop.
        now: As of when; the present by default.
        controller: Whether the loop's controller lives, where the caller looked.
    """
    from wpfsm.adapters.documents.pool import pool_object

    at = time.time() if now is None else now
    loop = standing(history, loop)
    jobs, trials, proposals = history.jobs(loop.id), history.trials(loop.id), history.proposals(loop.id)
    ledger = ledger_of(loop, jobs, at)
    owed = history.owed_jobs(loop.id)
    best = best_of(loop, trials)
    return {
        "schema": SCHEMA,
        "loop": {
            "id": loop.id,
            "name": loop.name,
            "state": str(loop.state),
            "outcome": str(loop.outcome) if loop.outcome else None,
            "why": _happened(loop.why) or _last_words(history, loop),
            "fix": _fix(loop, jobs),
            "backend": loop.backend,
            "created_at": stamp(loop.created_at),
            "updated_at": stamp(loop.updated_at),
            "region": loop.region,
            "account": loop.account or None,
            "pool_key": loop.pool_key or None,
            "source_digest": loop.source_digest or None,
            "exit_code": EXIT_CODES[loop.outcome] if loop.state is State.CLOSED and loop.outcome else None,
            "closed_at": stamp(loop.closed_at),
        },
        "controller": controller.to_json(stamp) if controller else None,
        "phases": phase_objects(loop, trials, jobs, ledger),
        "engine": _engine(loop, at),
        "lanes": lane_objects(history, loop, jobs, trials),
        "trials": [_trial(t, best) for t in trials],
        "best": _best(loop, jobs, best),
        "comparisons": _comparisons(loop, trials),
        "jobs": [job_object(loop, j, _before(jobs, j), ledger) for j in jobs],
        "pool": pool_object(history, loop, jobs, owed, at),
        "ledger": _ledger(ledger, loop),
        "handoff": loop.handoff.to_json() if loop.handoff else None,
        "proposals": [_proposal(p) for p in proposals],
        "receipt": _receipt(loop),
        "next": next_steps(
            loop,
            owed,
            controller,
            patched=_is_patched(jobs, trials),
            proposed=any(p.status == "open" for p in proposals),
        ),
    }


def _comparisons(loop: Loop, trials: Sequence[Trial]) -> list[JSON]:
    """Of an ablation alone; what they rest on is loaded with them."""
    if not any(strategy.get("type") == "ablate" for strategy in phases_of(loop)):
        return []
    from wpfsm.adapters.documents.comparisons import comparisons

    return comparisons(loop, trials)


def _before(jobs: Sequence[Job], job: Job) -> Job | None:
    """The job before it, of its lane."""
    return next((j for j in reversed(jobs) if j.number < job.number and j.lane == job.lane), None)


def _engine(loop: Loop, at: float) -> dict[str, JSON] | None:
    """When an engine takes the loop's next turn, unless the job's end wakes it before; None without an engine."""
    if not loop.generation:
        return None
    late = max(0.0, at - loop.look_at) if loop.look_at and loop.state is not State.CLOSED else 0.0
    return {
        "generation": loop.generation,
        "execution": f"{loop.id}-g{loop.generation}",
        "sleeps_until": stamp(loop.look_at),
        "late_seconds": round(late, 1),
    }


def _receipt(loop: Loop) -> dict[str, JSON] | None:
    """The proof as it was written, with its moments as the document has them."""
    if loop.receipt is None:
        return None
    return {
        "released": True,
        "at": stamp(loop.receipt.at),
        "account": loop.receipt.account,
        "region": loop.receipt.region,
        "endpoint_url": loop.receipt.endpoint_url,
        "jobs": [
            {"job": line.job, "evidence": line.evidence, "at": stamp(line.at)} for line in loop.receipt.jobs
        ],
    }


def _last_words(history: History, loop: Loop) -> str:
    """Why a loop is where it is while it has no outcome: what happened last."""
    event = history.last_event(loop.id)
    return event.why if event else ""


def error_document(error: WpfsmError) -> dict[str, JSON]:
    """What every verb prints on an error with ``-o json``."""
    return {
        "schema": SCHEMA,
        "error": {"class": type(error).__name__, "message": str(error), "fix": error.fix},
    }


def worst_case(loop: Loop) -> dict[str, JSON]:
    """What it costs if the controller died now and nobody came back."""
    from wpfsm.fsm.costs.forecast import worst_case_leak
    from wpfsm.fsm.units import parse_duration

    if loop.state is State.CLOSED:
        return {"killed_between_jobs_usd": 0.0, "killed_during_job_usd": 0.0}
    price = loop.price
    leak = worst_case_leak(
        loop.keep_alive,
        parse_duration(section(loop, "job").get("max_runtime")),
        price.usd_per_hour if price else None,
        instances(loop),
    )
    return {
        "killed_between_jobs_seconds": leak.killed_between_jobs_seconds,
        "killed_between_jobs_usd": leak.killed_between_jobs_usd,
        "killed_during_job_seconds": leak.killed_during_job_seconds,
        "killed_during_job_usd": leak.killed_during_job_usd,
    }


def next_steps(
    loop: Loop,
    owed: Sequence[str],
    controller: Liveness | None = None,
    *,
    patched: bool = False,
    proposed: bool = False,
) -> list[JSON]:
    """The commands that make sense now, the likeliest first.

    Args:
        loop: The loop.
        owed: Jobs whose release is not read back.
        controller: Whether its controller lives.
        patched: The loop's copy of the source differs from what it was given.
        proposed: A proposal waits to be run.
    """
    if loop.state is State.CLOSED:
        if loop.outcome in _NOT_BEGUN:
            return [_again(loop)]
        page = _step("see it as a page", "report", loop.id, "--html", f"{loop.id}.html")
        apply = _step("write what the loop changed of the source into your files", "diff", loop.id, "--apply")
        return [*([apply] if patched else []), page]
    alive = controller.alive if controller else None
    if loop.state is State.RELEASING and owed and not alive:
        return [_step(f"release is not confirmed: {', '.join(owed)}", "release", loop.id)]
    if loop.handoff and loop.handoff.kind != "limit" and proposed and not alive:
        return [_step("run the proposal that waits", "resume", loop.id)]
    if loop.handoff and loop.handoff.kind == "ask":
        return [
            _step("propose: add --set NAME=VALUE or --source DIR, and --note TEXT", "next", loop.id),
            _step("no further trial: release and end", "next", loop.id, "--done"),
        ]
    if loop.handoff and loop.handoff.kind == "limit":
        return [
            _step("after raising the limit in the loop file", "resume", loop.id, "--accept-changes"),
            _step("release and end", "next", loop.id, "--done"),
        ]
    if loop.handoff:
        return [
            _step("after editing the source", "resume", loop.id),
            _step("give up and release the pool", "resume", loop.id, "--abandon"),
        ]
    resume = _step(
        "its controller is dead" if alive is False else "if its controller died", "resume", loop.id
    )
    if alive is False:
        return [resume, _step("only clean up: stop, release, confirm", "resume", loop.id, "--abandon")]
    return [
        _step("until it ends, hands off or 9 minutes pass", "wait", loop.id, "--timeout", "9m"),
        _step("stop the job, release, confirm", "stop", loop.id),
        *([] if alive else [resume]),
    ]


def _again(loop: Loop) -> dict[str, JSON]:
    """The same start once more: nothing is left of this one."""
    settings = [word for override in loop.overrides for word in ("--set", override)]
    why = "the same again" if loop.outcome is Outcome.TRANSIENT else "once that is mended"
    return _step(why, "start", loop.loop_path, *settings)


def _happened(why: str) -> str:
    """Why a loop is where it is, without what to do about it."""
    return "\n".join(line for line in why.splitlines() if not line.startswith(FIX))


def _fix(loop: Loop, jobs: Sequence[Job]) -> str | None:
    """What to do about it: what a refusal or an error named, else what the failure that ended or holds the loop asks for."""
    named = [line.removeprefix(FIX) for line in loop.why.splitlines() if line.startswith(FIX)]
    if named:
        return "\n".join(named)
    failed = loop.handoff is not None or loop.outcome is Outcome.FAILED
    diagnosis = jobs[-1].diagnosis if jobs and failed else None
    return diagnosis.fix if diagnosis else None


def _step(why: str, *words: str) -> dict[str, JSON]:
    return {"argv": ["wpfsm", *words], "why": why}


def _ledger(ledger: Ledger, loop: Loop) -> dict[str, JSON]:
    plain: dict[str, JSON] = ledger.to_json()  # type: ignore[assignment]
    return {**plain, "worst_case": worst_case(loop)}


def _trial(trial: Trial, best: Trial | None) -> dict[str, JSON]:
    return {
        "number": trial.number,
        "label": trial.label,
        "params": dict(trial.params),
        "state": trial.state,
        "smoke": trial.smoke,
        "repeat": trial.repeat,
        "metric": trial.metric,
        "best": best is not None and best.number == trial.number,
        "phase": trial.phase,
        "base": trial.base,
        "taken_from": trial.taken_from,
        "repeat_of": trial.repeat_of,
        "proposal": trial.proposal,
        "note": trial.note or None,
        "verdict": trial.verdict or None,
        "verdict_why": trial.verdict_why or None,
    }


def _best(loop: Loop, jobs: Sequence[Job], best: Trial | None) -> dict[str, JSON] | None:
    if best is None:
        return None
    job = next((j for j in reversed(jobs) if j.trial == best.number), None)
    return {
        "trial": best.number,
        "label": best.label,
        "params": dict(best.params),
        "metric": {"name": section(loop, "metric").get("name"), "value": best.metric},
        "job": job.name if job else None,
    }


def _is_patched(jobs: Sequence[Job], trials: Sequence[Trial]) -> bool:
    """Whether wpfsm itself changed files of the source on the way to where the loop is now."""
    own = any(j.patch and j.patch.files and j.patch.kind != "edit" for j in jobs)
    return own and bool(trials) and trials[-1].source_digest != jobs[0].source_digest


def _proposal(proposal: Proposal) -> dict[str, JSON]:
    return {
        "number": proposal.number,
        "kind": proposal.kind,
        "at": stamp(proposal.at),
        "params": dict(proposal.params),
        "source_digest": proposal.source_digest or None,
        "from": proposal.base or None,
        "note": proposal.note or None,
        "status": proposal.status,
        "answer": proposal.answer or None,
        "trial": proposal.trial,
    }


def _retained(loop: Loop, job: Job, line: LedgerLine | None) -> float | None:
    """Idle seconds of the cluster after a job: the service's once they are final, else the ledger's estimate."""
    if job.ended_at is None or line is None or line.retained_seconds is None:
        return None
    return line.retained_seconds / instances(loop)


def job_object(loop: Loop, job: Job, before: Job | None, ledger: Ledger) -> dict[str, JSON]:
    """One job as the document lists it; ``before`` is the job before it."""
    line = next((line for line in ledger.jobs if line.number == job.number), None)
    return {
        "number": job.number,
        "trial": job.trial,
        "name": job.name,
        "params": dict(job.params),
        "changes": list(changes(before, job)),
        "status": job.status,
        "secondary_status": job.secondary_status or None,
        "start": job.start,
        "startup_seconds": job.startup_seconds,
        "training_seconds": job.training_seconds,
        "install_seconds": job.install_seconds,
        "upload_seconds": job.upload_seconds,
        "billable_seconds": job.billable_seconds,
        "retained_seconds": _retained(loop, job, line),
        "pool_status": job.pool_status or None,
        "reused_by": job.reused_by or None,
        "metrics": dict(job.metrics),
        "diagnosis": job.diagnosis.to_json() if job.diagnosis else None,
        "patch": asdict(job.patch) if job.patch else None,
        "source_digest": job.source_digest or None,
        "cost_usd": line.cost_usd if line else None,
        "estimated": line.estimated if line else None,
        "failure_reason": job.failure_reason or None,
        "stopped_for": job.stopped_for or None,
        "created_at": stamp(job.created_at),
        "ended_at": stamp(job.ended_at),
        **({"lane": job.lane, "claims": job.claims or None} if job.lane else {}),
    }
