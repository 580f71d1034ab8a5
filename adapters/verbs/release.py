"""``stop``, ``release``, ``gc`` and ``pools``: the verbs that end what bills."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

from wpfsm.adapters.documents import loop
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.loop_text import dollars, seconds, table
from wpfsm.adapters.terminal.output import Options, duration, emit, hint
from wpfsm.fsm.errors import Held, NotFound, Refused, StoreError, WpfsmError
from wpfsm.fsm.records import JSON, Loop, Outcome, State
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import AccountReader
    from wpfsm.adapters.verbs.pool_survey import PoolView
    from wpfsm.fsm.states.releasing.orphan import Reaped

NOT_CONFIRMED = 30
STILL_RUNNING = 11


def pools(given: Options, backend: str | None, region: str | None) -> int:
    """Every warm pool in the account and region, and what it burns."""
    found = _survey(given, backend, region)
    known = [view.burn for view in found if view.idle_seconds is not None]
    total = sum(burn for burn in known if burn is not None) if None not in known else None
    document: dict[str, JSON] = {
        "schema": loop.SCHEMA, "pools": [view.to_json() for view in found], "idle_burn_usd_per_hour": total,
    }  # fmt: skip
    emit(given, document, _pools_text(found, total))
    return 0


def gc(given: Options, backend: str | None, region: str | None, *, apply: bool, older_than: str) -> int:
    """Find pools that nobody owns, and with ``--apply`` release them.

    A pool whose loop has a live controller, or that waits in a hand-off within its hold, is left alone, and
    so is a stranger's. One that no database here knows is released once it has idled ``older_than``: a
    controller on another machine would have used it by then.
    """
    patience = duration("--older-than", older_than)
    found = _survey(given, backend, region)
    orphans = [view for view in found if _is_orphan(view, patience)]
    dead = _dead_loops(given)
    results: list[Reaped] = []
    open_still: list[Loop] = []
    if apply:
        dead = [_finish(given, loop) for loop in dead]
        open_still = [loop for loop in dead if loop.state is not State.CLOSED]
        closed = {loop.id for loop in dead} - {loop.id for loop in open_still}
        results = _reap(given, backend, region, [view for view in orphans if view.loop not in closed])
    unconfirmed = [r.job for r in results if r.outcome == "unconfirmed"]
    document: dict[str, JSON] = {
        "schema": loop.SCHEMA,
        "applied": apply,
        "loops": [{"id": loop.id, "state": str(loop.state), "owed": _owed(given, loop.id)} for loop in dead],
        "pools": [{**view.to_json(), "orphan": view in orphans} for view in found],
        "released": [{"job": r.job, "outcome": r.outcome, "evidence": r.evidence} for r in results],
    }
    emit(given, document, _gc_text(dead, orphans, results, apply=apply))
    for command in (*(f"--job {job}" for job in unconfirmed), *(loop.id for loop in open_still)):
        hint(f"error: release not confirmed, a pool may still bill\n  fix: wpfsm release {command}")
    return NOT_CONFIRMED if unconfirmed or open_still else 0


def release(
    given: Options, which: str | None, job: str | None, backend: str | None, region: str | None
) -> int:
    """Discharge the obligations of a loop, or release the pool of one job. Idempotent."""
    if which is not None:
        from wpfsm.adapters.verbs.drive import finish

        return finish(given, which, Outcome.ABANDONED, "released by `wpfsm release`")
    assert job is not None, "the command line gives one of the two"
    loop = _loop_of_job(given, job)
    if loop and loop.state is not State.CLOSED:
        from wpfsm.adapters.verbs.drive import finish

        return finish(given, loop.id, Outcome.ABANDONED, f"released by `wpfsm release --job {job}`")
    from wpfsm.adapters.aws.account import AccountReader
    from wpfsm.adapters.bootstrap import target_of
    from wpfsm.adapters.targets import target_for
    from wpfsm.fsm.states.releasing.orphan import reap

    target = (
        target_of(loop.backend, loop.region, given.database, loop.endpoint_url)
        if loop else target_for(given, backend, region)
    )  # fmt: skip
    account = AccountReader(target)
    _refuse_a_strangers(account, job)
    result = reap(account.service, account.clock, account.pace, job)
    document: dict[str, JSON] = {
        "schema": loop.SCHEMA,
        "released": [{"job": result.job, "outcome": result.outcome, "evidence": result.evidence}],
    }
    emit(given, document, f"{result.job}: {result.outcome} ({result.evidence})")
    if result.outcome != "unconfirmed":
        return 0
    hint(f"error: release not confirmed, a pool may still bill\n  fix: wpfsm release --job {job}")
    return NOT_CONFIRMED


def stop(given: Options, which: str, timeout: str) -> int:
    """Ask the loop's controller to stop, and wait until it has released; without a controller, release here."""
    from wpfsm.state.store import request_stop

    deadline = time.monotonic() + duration("--timeout", timeout)
    connection = open_existing(given.database, write=True)
    history = History(connection)
    loop = history.find(which)
    asked = False
    while loop.state is not State.CLOSED:
        if not look(history, given.database, loop, time.time()).alive:
            # Held: somebody took it up in this very moment, and is asked instead.
            with contextlib.suppress(Held):
                return _stop_here(given, loop)
        elif loop.state is not State.RELEASING and not history.stop_requested(loop.id):
            # Anew, when a controller that was only just taking over has not heard of it.
            request_stop(connection, given.database, loop.id, time.time())
            if not asked:
                hint(f"asked the controller of {loop.id} to stop; waiting for the release")
            asked = True
        if time.monotonic() >= deadline:
            so_far = (
                "still releasing" if loop.state is State.RELEASING else "its controller has not answered yet"
            )
            hint(f"{so_far}; wpfsm wait {loop.id} goes on waiting")
            return STILL_RUNNING
        time.sleep(0.1)
        loop = history.find(loop.id)
    return _shown(given, connection, loop)


def _stop_here(given: Options, loop: Loop) -> int:
    from wpfsm.adapters.verbs.drive import finish

    hint(f"no live controller drives {loop.id}; releasing it here")
    return finish(given, loop.id, Outcome.STOPPED, "stopped by `wpfsm stop`, without a live controller")


def _shown(given: Options, connection: sqlite3.Connection, loop: Loop) -> int:
    """The closed loop's document. Stopping has succeeded, whatever the loop's own exit code is."""
    from wpfsm.adapters.verbs.drive import report

    report(given, connection, loop, None)
    return 0


def _survey(given: Options, backend: str | None, region: str | None) -> list[PoolView]:
    from wpfsm.adapters.aws.account import AccountReader
    from wpfsm.adapters.targets import target_for
    from wpfsm.adapters.verbs.pool_survey import survey_pools

    account = AccountReader(target_for(given, backend, region))
    return survey_pools(account, given.database, _history(given))


def _history(given: Options) -> History | None:
    """The database if it can be used; pools are found without it too."""
    try:
        return History(open_existing(given.database))
    except NotFound:
        return None
    except StoreError as error:
        hint(f"warning: {error}; going on without it")
        return None


def _is_orphan(view: PoolView, patience: float) -> bool:
    if view.idle_seconds is None or view.holder in ("live", "handoff", "stranger"):
        return False
    return view.holder == "dead" or view.idle_seconds >= patience


def _dead_loops(given: Options) -> list[Loop]:
    """Loops that are not closed, that no controller drives and that are not waiting within their hold."""
    history = _history(given)
    if history is None:
        return []
    now = time.time()
    return [
        loop
        for loop in history.unfinished()
        if not look(history, given.database, loop, now).alive
        and not (loop.handoff and (loop.hold_until or 0) > now)
    ]


def _finish(given: Options, loop: Loop) -> Loop:
    """Close one loop, and say what it is now. What goes wrong with one must not keep the others billing."""
    from wpfsm.adapters.verbs.drive import finish

    quiet = Options("none", given.database, given.endpoint_url, given.debug)
    try:
        finish(quiet, loop.id, Outcome.ABANDONED, "abandoned: its controller died (wpfsm gc)")
    except Exception as error:  # noqa: BLE001 - whatever it is, the loop is said to be open, with what to do
        hint(f"error: loop {loop.id}: {error or type(error).__name__}")
    history = _history(given)
    return history.find(loop.id) if history else loop


def _reap(given: Options, backend: str | None, region: str | None, orphans: list[PoolView]) -> list[Reaped]:
    from wpfsm.adapters.aws.account import AccountReader
    from wpfsm.adapters.targets import target_for

    account = AccountReader(target_for(given, backend, region))
    return [_reap_one(account, view.reading.name) for view in orphans]


def _reap_one(account: AccountReader, job: str) -> Reaped:
    """What goes wrong with one must not keep the others billing."""
    from wpfsm.fsm.states.releasing.orphan import Reaped, reap

    try:
        return reap(account.service, account.clock, account.pace, job)
    except WpfsmError as error:
        return Reaped(job, "unconfirmed", str(error))


def _owed(given: Options, loop_id: str) -> list[JSON]:
    history = _history(given)
    return [o.job_name for o in history.obligations(loop_id) if o.status == "owed"] if history else []


def _refuse_a_strangers(account: AccountReader, job: str) -> None:
    """Stopping the job of a colleague is one slip of the pen away, and cannot be undone.

    Raises:
        Refused: The job carries no tag of ours.
    """
    from wpfsm.fsm.states.releasing.orphan import loop_of

    reading = account.describe(job)
    if reading and not account.steady(lambda: loop_of(account.service, reading.arn)):
        raise Refused(
            f"{job} carries no tag of wpfsm: it is somebody else's, and was left alone",
            fix="if it is yours, and has ended: aws sagemaker update-training-job "
            f"--training-job-name {job} --resource-config KeepAlivePeriodInSeconds=0",
        )


def _loop_of_job(given: Options, name: str) -> Loop | None:
    history = _history(given)
    if history is None:
        return None
    with contextlib.suppress(NotFound):
        job = history.job_named(name)
        return history.find(job.loop_id) if job else None
    return None


def _pools_text(found: list[PoolView], total: float | None) -> str:
    if not found:
        return "no warm pool here"
    rows = [("POOL (OWNER JOB)", "STATUS", "INSTANCES", "IDLE", "BURNS", "LOOP", "HELD BY")]
    for view in found:
        plain = view.to_json()
        rows.append(
            (view.reading.name, str(plain["status"]), f"{plain['instance_count']} x {plain['instance_type']}",
             seconds(view.idle_seconds) if view.idle_seconds is not None else "-",
             "?" if view.burn is None else f"{dollars(view.burn)}/h", view.loop or "-", view.holder)
        )  # fmt: skip
    burn = "unknown" if total is None else f"{dollars(total)}/h"
    return f"{table(rows)}\nidle pools burn {burn}"


def _became(loop: Loop) -> str:
    return f"Closed, {loop.why}" if loop.state is State.CLOSED else f"{loop.state}, not released"


def _gc_text(dead: list[Loop], orphans: list[PoolView], results: list[Reaped], *, apply: bool) -> str:
    lines = [
        f"loop {loop.id}: {_became(loop) if apply else f'{loop.state}, no live controller'}" for loop in dead
    ]
    lines += [f"pool of {v.reading.name}: {v.holder}, idle {seconds(v.idle_seconds)}" for v in orphans]
    lines += [f"{r.job}: {r.outcome} ({r.evidence})" for r in results]
    if not lines:
        return "nothing to collect: no loop without a controller, no pool without an owner"
    return "\n".join(lines if apply else [*lines, "wpfsm gc --apply releases these"])
