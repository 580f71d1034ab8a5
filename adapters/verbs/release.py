"""`wpfsm release`: discharges the obligations of a loop, or releases the pool of one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.pool_survey import history_if_any, is_locked
from wpfsm.fsm.errors import Held, NotConfirmed, NotFound, Refused, WpfsmError, with_fix
from wpfsm.fsm.records import JSON, Loop, Outcome, State

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import Account


def release(
    given: Options, which: str | None, job: str | None, backend: str | None, region: str | None
) -> int:
    """Discharge the obligations of a loop, or release the pool of one job. Idempotent."""
    outlive_output()
    if which is not None:
        from wpfsm.adapters.verbs.resume import finish

        return finish(given, which, Outcome.ABANDONED, "released by `wpfsm release`")
    assert job is not None, "the command line gives one of the two"
    loop = _loop_of_job(given, job)
    if loop and loop.state is not State.CLOSED:
        code = _finish_or_go_on(given, loop, job)
        if code is not None:
            return code
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.aws.places import vanished
    from wpfsm.adapters.aws.targets import target_of
    from wpfsm.fsm.states.releasing.orphan import OrphanRelease, release_orphan

    if loop and (gone := vanished(given.database, loop)):
        result = OrphanRelease(job, "gone", gone)
    else:
        account = (
            Account(target_of(loop.backend, loop.region, given.database, loop.endpoint_url))
            if loop
            else _account_of(given, backend, region, job)
        )
        _refuse_a_strangers(given, account, job)
        result = release_orphan(account, job)
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "released": [{"job": result.job, "outcome": result.outcome, "evidence": result.evidence}],
    }
    emit(given, document, f"{result.job}: {result.outcome} ({result.evidence})")
    if result.outcome != "unconfirmed":
        return 0
    hint(with_fix("error: release not confirmed, a pool may still bill", f"wpfsm release --job {job}"))
    return NotConfirmed.exit_code


def _account_of(given: Options, backend: str | None, region: str | None, job: str) -> Account:
    """Where a job is that no loop of this database ran: the first place that knows it, else the first.

    A place that does not answer is said, and the next one is asked.

    Raises:
        NotFound: There is no place to ask.
        WpfsmError: No place knows it, and this one did not answer.
    """
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.aws.places import in_words, targets_for

    accounts = [Account(target) for target in targets_for(given, backend, region)]
    if not accounts:
        raise NotFound(f"no job {job!r} here", fix="--backend aws looks at AWS")
    silent: WpfsmError | None = None
    for account in accounts if len(accounts) > 1 else ():
        try:
            if account.describe(job):
                return account
        except WpfsmError as error:
            hint(f"warning: {in_words(account.target)} was not read: {error}")
            silent = silent or error
    if silent is not None:
        raise silent
    return accounts[0]


def _finish_or_go_on(given: Options, loop: Loop, job: str) -> int | None:
    """Close the job's loop; None where its database is damaged, and the job has to be released by itself."""
    from wpfsm.adapters.verbs.resume import finish
    from wpfsm.state.damage import damage

    try:
        return finish(given, loop.id, Outcome.ABANDONED, f"released by `wpfsm release --job {job}`")
    except Held:
        raise
    except Exception:
        found = damage(given.database)
        if found is None:
            raise
        hint(f"warning: {found}; going on without it")
        return None


def _refuse_a_strangers(given: Options, account: Account, job: str) -> None:
    """Stopping the job of a colleague is one slip of the pen away, and cannot be undone.

    Raises:
        Refused: The job carries no tag of ours.
        Held: A live controller on this host drives its loop, whatever the database says.
    """
    from wpfsm.fsm.states.releasing.orphan import loop_of

    reading = account.describe(job)
    loop = loop_of(account, reading.arn) if reading else ""
    if loop and is_locked(given.database, loop):
        raise Held(f"loop {loop} is held by a live controller on this host", fix=f"wpfsm stop {loop}")
    if reading and not loop:
        raise Refused(
            f"{job} carries no tag of wpfsm: it is somebody else's, and was left alone",
            fix="if it is yours, and has ended: aws sagemaker update-training-job "
            f"--training-job-name {job} --resource-config KeepAlivePeriodInSeconds=0",
        )


def _loop_of_job(given: Options, name: str) -> Loop | None:
    """The loop of a job, as far as the database can be read: the job is released without it too."""
    history = history_if_any(given)
    if history is None:
        return None
    try:
        job = history.job_named(name)
        return history.find(job.loop_id) if job else None
    except NotFound:
        return None
    except Exception as error:  # noqa: BLE001 - whatever is wrong inside the file, the pool bills all the same
        hint(f"warning: {error}; going on without it")
        return None
