"""``stop``, ``release``, ``gc`` and ``pools``: the verbs that end what bills."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

from wpfsm.adapters import views
from wpfsm.adapters.human import dollars, seconds, table
from wpfsm.adapters.verbs.common import Options, duration, emit, hint
from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.fsm.records import JSON, Loop, Outcome, State
from wpfsm.state.database import open_existing, siblings
from wpfsm.state.history import History
from wpfsm.state.leases import is_held

if TYPE_CHECKING:
    from wpfsm.adapters.pools import PoolView
    from wpfsm.fsm.reaping import Reaped

NOT_CONFIRMED = 30
STILL_RUNNING = 11


def pools(given: Options, backend: str | None, region: str | None) -> int:
    """Every warm pool in the account and region, and what it burns."""
    found = _survey(given, backend, region)
    known = [view.burn for view in found if view.idle_seconds is not None]
    total = sum(burn for burn in known if burn is not None) if None not in known else None
    document: dict[str, JSON] = {
        "schema": views.SCHEMA, "pools": [view.to_json() for view in found], "idle_burn_usd_per_hour": total,
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
    codes: list[int] = []
    if apply:
        codes = [_finish(given, loop) for loop in dead]
        results = _reap(given, backend, region, [v for v in orphans if v.loop not in {x.id for x in dead}])
    unconfirmed = [r for r in results if r.outcome == "unconfirmed"]
    document: dict[str, JSON] = {
        "schema": views.SCHEMA,
        "applied": apply,
        "loops": [{"id": loop.id, "state": str(loop.state), "owed": _owed(given, loop.id)} for loop in dead],
        "pools": [{**view.to_json(), "orphan": view in orphans} for view in found],
        "released": [{"job": r.job, "outcome": r.outcome, "evidence": r.evidence} for r in results],
    }
    emit(given, document, _gc_text(dead, orphans, results, apply=apply))
    return NOT_CONFIRMED if unconfirmed or NOT_CONFIRMED in codes else 0


def release(
    given: Options, which: str | None, job: str | None, backend: str | None, region: str | None
) -> int:
    """Discharge the obligations of a loop, or release the pool of one job. Idempotent."""
    if which is not None:
        from wpfsm.adapters.verbs.driving import finish

        return finish(given, which, Outcome.ABANDONED, "released by `wpfsm release`")
    assert job is not None, "the command line gives one of the two"
    loop = _loop_of_job(given, job)
    if loop and loop.state is not State.CLOSED:
        from wpfsm.adapters.verbs.driving import finish

        return finish(given, loop.id, Outcome.ABANDONED, f"released by `wpfsm release --job {job}`")
    from wpfsm.adapters.account import AccountReader
    from wpfsm.adapters.verbs.targets import target_for
    from wpfsm.adapters.wiring import target_of
    from wpfsm.fsm.reaping import reap

    target = (
        target_of(loop.backend, loop.region, given.database, loop.endpoint_url)
        if loop else target_for(given, backend, region)
    )  # fmt: skip
    account = AccountReader(target)
    result = reap(account.service, account.clock, account.pace, job)
    document: dict[str, JSON] = {
        "schema": views.SCHEMA,
        "released": [{"job": result.job, "outcome": result.outcome, "evidence": result.evidence}],
    }
    emit(given, document, f"{result.job}: {result.outcome} ({result.evidence})")
    return NOT_CONFIRMED if result.outcome == "unconfirmed" else 0


def stop(given: Options, which: str, timeout: str) -> int:
    """Ask the loop's controller to stop, and wait until it has released; without a controller, release here."""
    from wpfsm.state.store import request_stop

    seconds_to_wait = duration("--timeout", timeout)
    connection = open_existing(given.database, write=True)
    loop = History(connection).find(which)
    if loop.state is State.CLOSED:
        return _shown(given, connection, loop)
    if not is_held(siblings(given.database, "locks"), f"loop-{loop.id}"):
        from wpfsm.adapters.verbs.driving import finish

        hint(f"no live controller drives {loop.id}; releasing it here")
        return finish(given, loop.id, Outcome.STOPPED, "stopped by `wpfsm stop`, without a live controller")
    request_stop(connection, given.database, loop.id, time.time())
    hint(f"asked the controller of {loop.id} to stop; waiting for the release")
    deadline = time.monotonic() + seconds_to_wait
    while time.monotonic() < deadline:
        loop = History(connection).find(loop.id)
        if loop.state is State.CLOSED:
            return _shown(given, connection, loop)
        if not is_held(siblings(given.database, "locks"), f"loop-{loop.id}"):
            return NOT_CONFIRMED if loop.state is State.RELEASING else stop(given, loop.id, timeout)
        time.sleep(0.1)
    hint(f"still releasing; wpfsm wait {loop.id} goes on waiting")
    return STILL_RUNNING


def _shown(given: Options, connection: sqlite3.Connection, loop: Loop) -> int:
    """The closed loop's document. Stopping has succeeded, whatever the loop's own exit code is."""
    from wpfsm.adapters.verbs.driving import report

    report(given, connection, loop, None)
    return 0


def _survey(given: Options, backend: str | None, region: str | None) -> list[PoolView]:
    from wpfsm.adapters.account import AccountReader
    from wpfsm.adapters.pools import survey_pools
    from wpfsm.adapters.verbs.targets import target_for

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
    locks, now = siblings(given.database, "locks"), time.time()
    return [
        loop
        for loop in history.unfinished()
        if not is_held(locks, f"loop-{loop.id}") and not (loop.handoff and (loop.hold_until or 0) > now)
    ]


def _finish(given: Options, loop: Loop) -> int:
    from wpfsm.adapters.verbs.driving import finish

    quiet = Options("none", given.database, given.endpoint_url, given.debug)
    return finish(quiet, loop.id, Outcome.ABANDONED, "abandoned: its controller died (wpfsm gc)")


def _reap(given: Options, backend: str | None, region: str | None, orphans: list[PoolView]) -> list[Reaped]:
    from wpfsm.adapters.account import AccountReader
    from wpfsm.adapters.verbs.targets import target_for
    from wpfsm.fsm.reaping import reap

    account = AccountReader(target_for(given, backend, region))
    return [reap(account.service, account.clock, account.pace, view.reading.name) for view in orphans]


def _owed(given: Options, loop_id: str) -> list[JSON]:
    history = _history(given)
    return [o.job_name for o in history.obligations(loop_id) if o.status == "owed"] if history else []


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


def _gc_text(dead: list[Loop], orphans: list[PoolView], results: list[Reaped], *, apply: bool) -> str:
    lines = [f"loop {loop.id}: {loop.state}, no live controller" for loop in dead]
    lines += [f"pool of {v.reading.name}: {v.holder}, idle {seconds(v.idle_seconds)}" for v in orphans]
    lines += [f"{r.job}: {r.outcome} ({r.evidence})" for r in results]
    if not lines:
        return "nothing to collect: no loop without a controller, no pool without an owner"
    return "\n".join(lines if apply else [*lines, "wpfsm gc --apply releases these"])
