"""Discharges what a job may have left behind, once a read of the service says that nothing bills any more."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import Obligation


def discharge(ctx: Context, job_name: str, evidence: str) -> tuple[Obligation, ...]:
    """The row to be committed with what was read; none where nothing is owed for the job.

    Args:
        ctx: The loop, owned.
        job_name: The job.
        evidence: What was read, in words: the receipt shows them.
    """
    owed = ctx.store.obligation(job_name)
    if owed is None or owed.status == "discharged":
        return ()
    return (replace(owed, status="discharged", evidence=evidence, discharged_at=ctx.clock.now()),)
