"""`wpfsm release`: discharges the obligations of a loop, or releases the pool of one job."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from wpfsm.adapters.documents.rows import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.verbs.pool_survey import history_if_any
from wpfsm.fsm.errors import NotConfirmed, NotFound, Refused
from wpfsm.fsm.records import JSON, Loop, Outcome, State

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import Account


def release(
    given: Options, which: str | None, job: str | None, backend: str | None, region: str | None
) -> int:
    """Discharge the obligations of a loop, or release the pool of one job. Idempotent."""
    if which is not None:
        from wpfsm.adapters.verbs.resume import finish

        return finish(given, which, Outcome.ABANDONED, "released by `wpfsm release`")
    assert job is not None, "the command line gives one of the two"
    loop = _loop_of_job(given, job)
    if loop and loop.state is not State.CLOSED:
        from wpfsm.adapters.verbs.resume import finish

        return finish(given, loop.id, Outcome.ABANDONED, f"released by `wpfsm release --job {job}`")
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.targets import target_for, target_of
    from wpfsm.fsm.states.releasing.orphan import release_orphan

    target = (
        target_of(loop.backend, loop.region, given.database, loop.endpoint_url)
        if loop else target_for(given, backend, region)
    )  # fmt: skip
    account = Account(target)
    _refuse_a_strangers(account, job)
    result = release_orphan(account, job)
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "released": [{"job": result.job, "outcome": result.outcome, "evidence": result.evidence}],
    }
    emit(given, document, f"{result.job}: {result.outcome} ({result.evidence})")
    if result.outcome != "unconfirmed":
        return 0
    hint(f"error: release not confirmed, a pool may still bill\n  fix: wpfsm release --job {job}")
    return NotConfirmed.exit_code


def _refuse_a_strangers(account: Account, job: str) -> None:
    """Stopping the job of a colleague is one slip of the pen away, and cannot be undone.

    Raises:
        Refused: The job carries no tag of ours.
    """
    from wpfsm.fsm.states.releasing.orphan import loop_of

    reading = account.describe(job)
    if reading and not loop_of(account, reading.arn):
        raise Refused(
            f"{job} carries no tag of wpfsm: it is somebody else's, and was left alone",
            fix="if it is yours, and has ended: aws sagemaker update-training-job "
            f"--training-job-name {job} --resource-config KeepAlivePeriodInSeconds=0",
        )


def _loop_of_job(given: Options, name: str) -> Loop | None:
    history = history_if_any(given)
    if history is None:
        return None
    with contextlib.suppress(NotFound):
        job = history.job_named(name)
        return history.find(job.loop_id) if job else None
    return None
