"""Sets the keep-alive of the pool that a job owns: to hold it, or with 0 to let it go."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Rejected
from wpfsm.fsm.intents import intend
from wpfsm.fsm.records import Job


def set_keep_alive(ctx: Context, job: Job, seconds: float, why: str) -> bool:
    """UpdateTrainingJob behind an intent; False when the service refused.

    A refusal (ValidationException) is information: the pool is Reused, Terminated or not there. The caller
    reads it back either way.
    """
    intent = intend(ctx, "update", job, f"{seconds:.0f}")
    ctx.record("update_intended", f"keep-alive of {job.name} to {seconds:.0f} s: {why}", intents=(intent,),
               data={"job": job.name, "keep_alive": seconds})  # fmt: skip
    accepted, answer = True, "accepted"
    try:
        ctx.steady("service.set_keep_alive", lambda: ctx.ports.service.set_keep_alive(job.name, int(seconds)))
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
