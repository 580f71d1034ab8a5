"""The hand-off: the loop waits for a person or an agent, and takes up what they changed.

A hand-off is not a way out, so it bounds its own cost: the pool's keep-alive is set to the announced hold,
and the service lets the pool go by itself when nobody returns.
"""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.records import Change, Job, JobPatch, PatchAttempt, Trial
from wpfsm.fsm.states.diagnosing import failure_memory
from wpfsm.fsm.states.diagnosing.handoff_packet import packet_of
from wpfsm.fsm.states.diagnosing.remedy import Remedy
from wpfsm.fsm.steps import source_edits
from wpfsm.fsm.steps.hold_pool import cap_hold
from wpfsm.fsm.steps.source_edits import changed_names

DEFAULT_HOLD = 600.0


def open_handoff(ctx: Context, job: Job, trial: Trial, diagnosis: Diagnosis, remedy: Remedy) -> Change:
    """Bound the pool's idle time, write the packet, and wait for ``wpfsm resume``."""
    hold = cap_hold(ctx, remedy.hold or DEFAULT_HOLD)
    packet = packet_of(ctx, job, trial, diagnosis, remedy.tried, hold)
    # Holding the pool wrote to the row of the job that owns it.
    fresh = ctx.store.job(job.number) or job
    return Change(
        kind="handed_off",
        why=_why(diagnosis, remedy),
        data={"job": job.name, "class": diagnosis.class_, "hold_until": hold.until},
        loop={"handoff": packet, "hold_until": hold.until},
        jobs=(replace(fresh, diagnosis=job.diagnosis),),
        trials=(trial,),
        remembered=failure_memory.failed_again(ctx, job, diagnosis.fingerprint),
    )


def _why(diagnosis: Diagnosis, remedy: Remedy) -> str:
    """The class, the line that matters with its place, what to do, and what a rule would need to do it alone."""
    refused = next((line.partition(": ")[2] for line in remedy.tried if "is not added unasked" in line), "")
    said = [f"hand-off: {diagnosis.class_}", *([diagnosis.cause] if diagnosis.cause else []), diagnosis.fix]
    return ": ".join(said) + (f" {refused}" if refused else "")


def take_up(ctx: Context, digest: str, *, settings_changed: bool = False, what: str = "") -> None:
    """Close a hand-off with an edited source (or changed settings); the driver goes on from Diagnosing.

    The loop's own patches stay: what was edited is laid over them.

    Args:
        ctx: The loop, owned.
        digest: Snapshot of the user's folder as it is now.
        settings_changed: Free fields of the loop file were changed and accepted.
        what: Who made the edit, for the history.

    Raises:
        Refused: Nothing was changed.
    """
    job = ctx.store.last_job()
    assert job is not None, "a hand-off has a job"
    trial = ctx.store.trial(job.trial)
    accepted = ctx.loop.handoff.accepted if ctx.loop.handoff else ()
    given = source_edits.user_digest(ctx, trial)
    if digest == given and not settings_changed and not accepted:
        folder = trial.source or ctx.file.job.source
        edited = f"edit {folder}, then wpfsm resume {ctx.loop.group}; or " if folder else ""
        raise Refused(
            f"the source is unchanged since {job.name} failed: the same job would fail again",
            fix=f"{edited}wpfsm resume {ctx.loop.group} --set NAME=VALUE, or --skip, or --abandon",
        )
    result = source_edits.rebase_edit(ctx, trial.source_digest, given, digest)
    patch = _edit(ctx, trial, digest, result, what or "an edit made during the hand-off")
    ctx.record(
        "edited",
        f"hand-off closed: {patch.summary}",
        data={"job": job.name, "source_digest": digest},
        jobs=(replace(job, patch=patch),),
        trials=(replace(trial, source_digest=result),),
        remembered=_remembered(ctx, job, patch),
        loop={
            "handoff": None,
            "hold_until": None,
            **({} if trial.source or trial.proposal else {"source_digest": result}),
        },
    )


def _edit(ctx: Context, trial: Trial, given: str, result: str, what: str) -> JobPatch:
    """The edit as a patch: recorded as a diff, and with the two snapshots, so that it can be made again."""
    changed = result != trial.source_digest
    names = changed_names(ctx, trial.source_digest, result) if changed else []
    return JobPatch(
        kind="edit",
        summary=f"{what} ({', '.join(names)})" if names else what,
        key=f"edit:{result}",
        files=tuple(names),
        diff=ctx.sources.diff(trial.source_digest, result) if changed else "",
        base=trial.source_digest,
        result=result,
        given=given,
    )


def _remembered(ctx: Context, job: Job, patch: JobPatch) -> tuple[PatchAttempt, ...]:
    if not job.diagnosis or patch.base == patch.result:
        return ()
    return (failure_memory.remember(ctx, job, job.diagnosis.fingerprint, job.diagnosis.class_, patch),)
