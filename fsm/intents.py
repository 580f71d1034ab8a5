"""The intent behind a write to the service that may be repeated: a stop, an update of the keep-alive."""

from __future__ import annotations

from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import Intent, Job


def intend(ctx: Context, kind: Literal["update", "stop"], job: Job, argument: str) -> Intent:
    """The row to write before the call.

    An intent that a crash left without an answer is taken up again, not left behind: both writes may be made
    twice, and the answer to the second one tells about both.
    """
    rows = [i for i in ctx.store.intents(open_only=False) if i.kind == kind and i.job_name == job.name]
    unanswered = next((i for i in rows if i.status == "open"), None)
    return Intent(
        loop_id=ctx.loop.id,
        kind=kind,
        job_name=job.name,
        number=unanswered.number if unanswered else len(rows) + 1,
        epoch=ctx.loop.epoch,
        argument=argument,
        sent_at=ctx.clock.now(),
    )
