"""`wpfsm gc`: finds and releases pools that nobody owns."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.output import Options, duration_option, emit, hint
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.pool_survey import (
    history_if_any,
    is_held,
    is_locked,
    release_command,
    say_silent,
    survey,
)
from wpfsm.fsm.errors import Held, NotConfirmed, WpfsmError, with_fix
from wpfsm.fsm.records import JSON, Loop, Outcome, State
from wpfsm.fsm.units import duration, usd

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.verbs.pool_survey import PoolView
    from wpfsm.fsm.ports import History
    from wpfsm.fsm.states.releasing.orphan import OrphanRelease


def gc(
    given: Options, backend: str | None, region: str | None, *, apply: bool, running: bool, older_than: str
) -> int:
    """Find pools that nobody owns, and with ``--apply`` release them.

    A pool whose loop has a live controller, or that waits in a hand-off within its hold, is left alone, and
    so is a stranger's. One that no database here knows is released once it has idled ``older_than``: a
    controller on another machine would have used it by then. A job that runs for a loop that no database here
    knows is reported, and stopped only with ``running``: that other machine may be well.

    Nothing that is wrong inside the database keeps a pool billing: what cannot be read is said, and the pools
    are found by their jobs' tags.
    """
    outlive_output()
    patience = duration_option("--older-than", older_than)
    asked = survey(given, backend, region, running=True)
    found = [view for one in asked for view in one.pools]
    jobs = [view for one in asked for view in one.running]
    at = {view.reading.name: one.account for one in asked for view in (*one.pools, *one.running)}
    orphans = [view for view in found if _is_orphan(view, patience)]
    dead = _dead_loops(given)
    results: list[OrphanRelease] = []
    open_still: list[Loop] = []
    if apply:
        finished = [(loop, _finish(given, loop)) for loop in dead]
        dead = [became for _, became in finished if became is not None]
        open_still = [loop for loop in dead if loop.state is not State.CLOSED]
        # Closed here, or driven by somebody else since: their pools are looked after.
        done = {loop.id for loop, became in finished if became is None or became.state is State.CLOSED}
        orphans = [v for v in orphans if v.loop in done or not is_locked(given.database, v.loop)]
        closable = {view.loop for view in jobs if running or view.holder == "dead"}
        left = [view for view in (*jobs, *orphans) if view.loop not in done]
        results = [
            _release_one(at[name], name)
            for name in dict.fromkeys(
                view.reading.name for view in left if view in orphans or view.loop in closable
            )
        ]
        jobs = [view for view in jobs if view.loop not in done | closable]
    unconfirmed = [r.job for r in results if r.outcome == "unconfirmed"]
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "applied": apply,
        "loops": [{"id": loop.id, "state": str(loop.state), "owed": _owed(given, loop.id)} for loop in dead],
        "pools": [{**view.to_json(), "orphan": view in orphans} for view in found],
        "running": [_running_object(view, _command(given, backend, region, view)) for view in jobs],
        "released": [{"job": r.job, "outcome": r.outcome, "evidence": r.evidence} for r in results],
    }
    young = [view for view in found if view.holder == "unknown" and view not in orphans]
    left_alone = [_left_alone(view, _command(given, backend, region, view)) for view in (*jobs, *young)]
    emit(given, document, _gc_text(dead, orphans, results, left_alone, apply=apply))
    confirmed = {r.job for r in results} - set(unconfirmed)
    for job in unconfirmed:
        fix = release_command(given, backend, region, job)
        hint(with_fix("error: release not confirmed, a pool may still bill", fix))
    for loop in open_still:
        by_tags = _by_tags(loop, confirmed)
        hint(
            with_fix(
                f"error: release not confirmed, a pool may still bill{by_tags}", f"wpfsm release {loop.id}"
            )
        )
    return NotConfirmed.exit_code if unconfirmed or open_still else say_silent(asked)


def _by_tags(loop: Loop, confirmed: set[str]) -> str:
    """What was released of a loop that could not be closed, found by the tags of its jobs."""
    released = sorted(job for job in confirmed if job.startswith(f"{loop.id}-"))
    return f" (released by their tags: {', '.join(released)})" if released else ""


def _command(given: Options, backend: str | None, region: str | None, view: PoolView) -> str:
    return release_command(given, backend, region, view.reading.name)


def _left_alone(view: PoolView, command: str) -> str:
    """A line about what bills, is ours, and is no business of this database's."""
    name, burn = view.reading.name, "unknown" if view.burn is None else f"{usd(view.burn)}/h"
    if view.idle_seconds is None:
        return (
            f"{name}: {view.reading.status}, of loop {view.loop}, which no controller here drives; burns {burn}; "
            f"left alone, for another machine may drive it: {command}, or wpfsm gc --apply --running, stops it"
        )
    return (
        f"pool of {name}: of loop {view.loop}, which this database does not know, idle for only "
        f"{duration(view.idle_seconds)}; burns {burn}; left alone: {command}, or a shorter --older-than, releases it"
    )


def _running_object(view: PoolView, command: str) -> JSON:
    shown = view.to_json()
    return {
        "job": view.reading.name,
        "loop": view.loop,
        "status": view.reading.status,
        "holder": view.holder,
        "instance_type": shown["instance_type"],
        "instance_count": shown["instance_count"],
        "burn_usd_per_hour": view.burn,
        "command": command,
    }


def _gc_text(
    dead: list[Loop],
    orphans: list[PoolView],
    results: list[OrphanRelease],
    left_alone: list[str],
    *,
    apply: bool,
) -> str:
    lines = [
        f"loop {loop.id}: {_became(loop) if apply else f'{loop.state}, no live controller'}" for loop in dead
    ]
    lines += [f"pool of {v.reading.name}: {v.holder}, idle {duration(v.idle_seconds)}" for v in orphans]
    lines += [f"{r.job}: {r.outcome} ({r.evidence})" for r in results]
    if lines and not apply:
        lines.append("wpfsm gc --apply releases these")
    lines += left_alone
    if not lines:
        return "nothing to collect: no loop without a controller, no pool without an owner, no job that runs for nobody"
    return "\n".join(lines)


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
    try:
        return [
            loop
            for loop in history.unfinished()
            if _is_dead(history, given, loop, now) and not is_held(history, loop, now)
        ]
    except Exception as error:  # noqa: BLE001 - whatever is wrong inside the file, its pools bill all the same
        hint(f"warning: {error}; going on without its loops, by the tags of their jobs")
        return []


def _is_dead(history: History, given: Options, loop: Loop, now: float) -> bool:
    """No controller drives it, as far as that can be told: what cannot be told, or began a moment ago, lives."""
    if look(history, given.database, loop, now).alive is not False:
        return False
    # A row without an owner is about to get one, on this host or on another whose locks are not seen here.
    return history.owner(loop.id) is not None or abs(now - loop.updated_at) > JUST_BEGUN


JUST_BEGUN = 60.0
"""Seconds for which a loop that no controller has taken over yet is taken for one that is being started."""


def _finish(given: Options, loop: Loop) -> Loop | None:
    """Close one loop, and say what it is now; None when somebody drives it after all.

    What goes wrong with one must not keep the others billing.
    """
    from wpfsm.adapters.verbs.resume import finish

    quiet = replace(given, output="none")
    try:
        finish(quiet, loop.id, Outcome.ABANDONED, "abandoned: its controller died (wpfsm gc)", judged=loop)
    except Held:
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, the loop is said to be open, with what to do
        hint(f"error: loop {loop.id}: {error or type(error).__name__}")
    try:
        history = history_if_any(given)
        return history.find(loop.id) if history else loop
    except Exception:  # noqa: BLE001 - as it was known before the file could not be read any more
        return loop


def _became(loop: Loop) -> str:
    return f"Closed, {loop.why}" if loop.state is State.CLOSED else f"{loop.state}, not released"


def _release_one(account: Account, job: str) -> OrphanRelease:
    """What goes wrong with one must not keep the others billing."""
    from wpfsm.fsm.states.releasing.orphan import OrphanRelease, release_orphan

    try:
        return release_orphan(account, job)
    except WpfsmError as error:
        return OrphanRelease(job, "unconfirmed", str(error))


def _owed(given: Options, loop_id: str) -> list[JSON]:
    try:
        history = history_if_any(given)
        return [*history.owed_jobs(loop_id)] if history else []
    except Exception:  # noqa: BLE001 - it is said elsewhere that the file cannot be read
        return []
