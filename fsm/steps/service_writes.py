"""Sets the keep-alive of the pool that a job owns: to hold it, or with 0 to let it go."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Rejected
from wpfsm.fsm.records import Intent, Job
from wpfsm.fsm.units import duration


def set_keep_alive(ctx: Context, job: Job, seconds: float, why: str) -> bool:
    """UpdateTrainingJob behind an intent; False when the service refused.

    A refusal (ValidationException) is information: the pool is Reused, Terminated or not there. The caller
    reads it back either way.
    """
    intent = intend(ctx, "update", job, f"{seconds:.0f}")
    ctx.record(
        "update_intended",
        f"keep-alive of {job.name} to {duration(seconds)}: {why}",
        intents=(intent,),
        data={"job": job.name, "keep_alive": seconds},
    )
    accepted, answer = True, "accepted"
    try:
        ctx.gateway.set_keep_alive(job.name, int(seconds))
    except Rejected as error:
        accepted, answer = False, f"{error.code}: {error.message}"
    rows = (replace(job, keep_alive=seconds),) if accepted and seconds else ()
    ctx.record(
        "update_answered",
        f"keep-alive of {job.name}: {answer}",
        intents=(replace(intent, status="done" if accepted else "refused", answer=answer),),
        jobs=rows,
        loop={"keep_alive": seconds} if accepted else {},
    )
    return accepted


def stop_job(ctx: Context, job: Job, reason: str, why: str) -> Job:
    """StopTrainingJob behind an intent. The pool stays: stopping is not releasing."""
    intent = intend(ctx, "stop", job, reason)
    stopped = replace(job, stopped_for=job.stopped_for or reason)
    ctx.record("stop_intended", f"stop {job.name}: {why}", jobs=(stopped,), intents=(intent,))
    answer = "accepted"
    try:
        ctx.gateway.stop(job.name)
    except Rejected as error:
        # Already terminal, as the next read will show.
        answer = f"{error.code}: {error.message}"
    ctx.record(
        "stop_answered",
        f"stop {job.name}: {answer}",
        intents=(replace(intent, status="done", answer=answer),),
    )
    return stopped


def intend(ctx: Context, kind: Literal["update", "stop"], job: Job, argument: str) -> Intent:
    """The row to write before the call.

    An intent that a crash left without an answer is taken up again, not left behind: both writes may be made
    twice, and the answer to the second one tells about both.
    """
    rows = ctx.store.intents_of(job.name, kind)
    unanswered = next((i for i in rows if i.status == "open"), None)
    return Intent(
        loop_id=ctx.loop.group,
        lane=ctx.loop.lane,
        kind=kind,
        job_name=job.name,
        number=unanswered.number if unanswered else len(rows) + 1,
        epoch=ctx.loop.epoch,
        argument=argument,
        sent_at=ctx.clock.now(),
    )


def was_let_go(ctx: Context, job_name: str) -> bool:
    """Whether this loop has released the pool of a job, and the service accepted it."""
    return any(
        intent.argument == "0" and intent.status == "done"
        for intent in ctx.store.intents_of(job_name, "update")
    )
