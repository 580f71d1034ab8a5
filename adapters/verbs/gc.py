"""`wpfsm gc`: finds and releases pools that nobody owns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.documents.rows import SCHEMA
from wpfsm.adapters.terminal.output import Options, duration, emit, hint
from wpfsm.adapters.verbs.pool_survey import history_if_any, survey
from wpfsm.fsm.errors import NotConfirmed, WpfsmError
from wpfsm.fsm.records import JSON, Loop, Outcome, State
from wpfsm.fsm.units import seconds

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.verbs.pool_survey import PoolView
    from wpfsm.fsm.states.releasing.orphan import OrphanRelease

if TYPE_CHECKING:
    from wpfsm.adapters.verbs.pool_survey import PoolView
    from wpfsm.fsm.states.releasing.orphan import OrphanRelease


def gc(given: Options, backend: str | None, region: str | None, *, apply: bool, older_than: str) -> int:
    """Find pools that nobody owns, and with ``--apply`` release them.

    A pool whose loop has a live controller, or that waits in a hand-off within its hold, is left alone, and
    so is a stranger's. One that no database here knows is released once it has idled ``older_than``: a
    controller on another machine would have used it by then.
    """
    patience = duration("--older-than", older_than)
    found = survey(given, backend, region)
    orphans = [view for view in found if _is_orphan(view, patience)]
    dead = _dead_loops(given)
    results: list[OrphanRelease] = []
    open_still: list[Loop] = []
    if apply:
        dead = [_finish(given, loop) for loop in dead]
        open_still = [loop for loop in dead if loop.state is not State.CLOSED]
        closed = {loop.id for loop in dead} - {loop.id for loop in open_still}
        results = _release_orphans(
            given, backend, region, [view for view in orphans if view.loop not in closed]
        )
    unconfirmed = [r.job for r in results if r.outcome == "unconfirmed"]
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "applied": apply,
        "loops": [{"id": loop.id, "state": str(loop.state), "owed": _owed(given, loop.id)} for loop in dead],
        "pools": [{**view.to_json(), "orphan": view in orphans} for view in found],
        "released": [{"job": r.job, "outcome": r.outcome, "evidence": r.evidence} for r in results],
    }
    emit(given, document, _gc_text(dead, orphans, results, apply=apply))
    for command in (*(f"--job {job}" for job in unconfirmed), *(loop.id for loop in open_still)):
        hint(f"error: release not confirmed, a pool may still bill\n  fix: wpfsm release {command}")
    return NotConfirmed.exit_code if unconfirmed or open_still else 0


def _gc_text(dead: list[Loop], orphans: list[PoolView], results: list[OrphanRelease], *, apply: bool) -> str:
    lines = [
        f"loop {loop.id}: {_became(loop) if apply else f'{loop.state}, no live controller'}" for loop in dead
    ]
    lines += [f"pool of {v.reading.name}: {v.holder}, idle {seconds(v.idle_seconds)}" for v in orphans]
    lines += [f"{r.job}: {r.outcome} ({r.evidence})" for r in results]
    if not lines:
        return "nothing to collect: no loop without a controller, no pool without an owner"
    return "\n".join(lines if apply else [*lines, "wpfsm gc --apply releases these"])


def _is_orphan(view: PoolView, patience: float) -> bool:
    if view.idle_seconds is None or view.holder in ("live", "handoff", "stranger"):
        return False
    return view.holder == "dead" or view.idle_seconds >= patience


def _dead_loops(given: Options) -> list[Loop]:
    """Loops that are not closed, that no controller drives and that are not waiting within their hold."""
    history = history_if_any(given)
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
    from wpfsm.adapters.verbs.resume import finish

    quiet = Options("none", given.database, given.endpoint_url, given.debug)
    try:
        finish(quiet, loop.id, Outcome.ABANDONED, "abandoned: its controller died (wpfsm gc)")
    except Exception as error:  # noqa: BLE001 - whatever it is, the loop is said to be open, with what to do
        hint(f"error: loop {loop.id}: {error or type(error).__name__}")
    history = history_if_any(given)
    return history.find(loop.id) if history else loop


def _became(loop: Loop) -> str:
    return f"Closed, {loop.why}" if loop.state is State.CLOSED else f"{loop.state}, not released"


def _release_orphans(
    given: Options, backend: str | None, region: str | None, orphans: list[PoolView]
) -> list[OrphanRelease]:
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.targets import target_for

    account = Account(target_for(given, backend, region))
    return [_release_one(account, view.reading.name) for view in orphans]


def _release_one(account: Account, job: str) -> OrphanRelease:
    """What goes wrong with one must not keep the others billing."""
    from wpfsm.fsm.states.releasing.orphan import OrphanRelease, release_orphan

    try:
        return release_orphan(account, job)
    except WpfsmError as error:
        return OrphanRelease(job, "unconfirmed", str(error))


def _owed(given: Options, loop_id: str) -> list[JSON]:
    history = history_if_any(given)
    return [o.job_name for o in history.obligations(loop_id) if o.status == "owed"] if history else []
