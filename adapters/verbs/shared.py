"""`start`, `resume`, `stop` and what cleans up, for a loop whose turns are taken by a team's engine.

Preflight and a release run here, with the user's credentials; everything between is the engine's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from wpfsm.adapters.aws.targets import history_of, place_of
from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import DETACHED
from wpfsm.adapters.verbs.drive import report, send_again
from wpfsm.adapters.verbs.inspect import SHARED_LOOK_SECONDS
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.adapters.verbs.proposal import instead_of_failed
from wpfsm.adapters.verbs.shared_driving import (
    PREFLIGHT_OVER,
    begin,
    close_here,
    driving,
    what_needs_this_machine,
)
from wpfsm.adapters.verbs.shared_lanes import not_driven, resume_lanes
from wpfsm.adapters.verbs.wait import wait
from wpfsm.adapters.watchers.notify import is_webhook
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Held, Refused
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import Loop, Outcome, State, Trial
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.loops import create_loop, propose, request_stop
from wpfsm.state.shared.table import Update

FOREVER = "8760h"


def start(
    given: Options,
    lanes: Sequence[Loop],
    why: str,
    known: Sequence[Trial] = (),
    *,
    follow: bool,
    queue: bool = False,
) -> int:
    """Preflight here, then the engine; exit code 11 with the loop's id, or with ``follow`` the loop's own.

    Args:
        given: The options of every verb.
        lanes: The loop's row; of a group one for each lane, the first lane's before the others.
        why: Where it comes from.
        known: Trials of an earlier loop.
        follow: Wait for the end; an interruption only detaches.
        queue: Wait, here, for a pool that another loop holds.
    """
    place, (loop, *siblings) = place_of(given), lanes
    if not place.function:
        raise Refused(f"{given.shared} has no engine", fix="wpfsm deploy")
    _say_what_does_not_run(place, loop)
    trials = [replace(trial, loop_id=loop.id) for trial in known]
    create_loop(place.table, place.blobs, loop, why, trials, siblings)
    with driving(given, place, loop, queue=queue) as ports:
        ports.sources.snapshot(_source(loop)) if loop.source_digest else None
        taken = controller.turn(ports, until=PREFLIGHT_OVER)
        if taken.loop.state is State.RELEASING and not siblings:
            taken = controller.turn(ports)
    if taken.loop.state is State.RELEASING:
        taken = close_here(given, place, lanes)
    named_so = f"loop {loop.id}" + (f", {len(lanes)} lanes" if siblings else "")
    if taken.exit_code is not None:
        hint(named_so)
        return report(given, history_of(given), taken.loop, taken.error, taken.exit_code)
    for each in lanes:
        begin(place, each)
    hint(named_so)
    if follow:
        code = wait(given, loop.id, FOREVER)
        return DETACHED if code == 130 else code
    hint(f"the engine drives it; wpfsm wait {loop.id} follows, wpfsm inspect {loop.id} shows")
    report(given, history_of(given), loop, None)
    return DETACHED


def resume(
    given: Options, which: str, *, accept_changes: bool, skip: bool = False, settings: Sequence[str] = ()
) -> int:
    """Take up an answered hand-off or a loop whose engine died, and give it to the engine again."""
    place, history = place_of(given), history_of(given)
    loop = named(history, which, acting=True)
    if loop.state is State.CLOSED:
        code = report(given, history, loop, None)
        send_again(given, loop)
        return code
    if loop.lane:
        return resume_lanes(
            given, place, history, loop, accept_changes=accept_changes, skip=skip, settings=settings
        )
    if _is_driven(given, history, loop):
        raise Held(f"the engine drives {loop.id}", fix=f"wpfsm wait {loop.id}, or wpfsm stop {loop.id}")
    if skip or settings:
        propose(place.table, place.blobs, instead_of_failed(loop, skip=skip, settings=settings))
    with driving(given, place, loop, forget_stop=True) as ports:
        for note in take_up_changes(Context(ports), accept=accept_changes):
            hint(note)
        taken = what_needs_this_machine(ports, loop)
        if taken is not None and taken.loop.state is State.RELEASING:
            taken = controller.turn(ports)
    if taken is not None and taken.exit_code is not None:
        return report(given, history, taken.loop, taken.error, taken.exit_code)
    begin(place, history.find(loop.id))
    hint(f"the engine goes on with it; wpfsm wait {loop.id} follows")
    report(given, history, loop, None)
    return DETACHED


def finish(given: Options, which: str, outcome: Outcome, why: str, *, judged: Loop | None = None) -> int:
    """Release a loop from this machine; its execution learns that another generation has it, and ends.

    Raises:
        Held: The engine drives it, or somebody has since it was ``judged`` to be dead.
    """
    place, history = place_of(given), history_of(given)
    loop = named(history, which, acting=True)
    if loop.state is State.CLOSED:
        report(given, history, loop, None)
        return 0
    if _is_driven(given, history, loop) or (judged is not None and loop.epoch != judged.epoch):
        raise Held(f"the engine drives {loop.id}", fix=f"wpfsm stop {loop.id}")
    lanes = history.lanes(loop.id) or (loop,)
    for each in lanes:
        if each.generation and each.state is not State.CLOSED:
            here = {"generation": each.generation + 1}
            place.table.update(Update(each.id, LOOP, here, {"generation": each.generation}))
    taken = close_here(given, place, lanes, outcome, why)
    executions.knock_lanes(place, loop)
    code = report(given, history, taken.loop, taken.error, taken.exit_code)
    return 0 if taken.loop.state is State.CLOSED else code


def _is_driven(given: Options, history: History, loop: Loop) -> bool:
    """Whether the loop's engine, or somebody's Preflight, is at work; in a hand-off nobody is."""
    return standing(history, loop).handoff is None and bool(
        look(history, given.database, loop, time.time()).alive
    )


def stop(given: Options, which: str, seconds: float) -> int:
    """Ask the loop's engine to stop and wait for the release; where nobody drives it, release here."""
    place, history = place_of(given), history_of(given)
    loop = named(history, which, acting=True)
    deadline, asked = time.monotonic() + seconds, False
    while loop.state is not State.CLOSED:
        if not look(history, given.database, loop, time.time()).alive:
            hint(f"nobody drives {loop.id}; releasing it here")
            return finish(
                given, loop.id, Outcome.STOPPED, "stopped by `wpfsm stop`, without a live controller"
            )
        if not asked:
            request_stop(place.table, loop.id, time.time())
            for lane in not_driven(given, history, loop) if loop.lane and loop.generation else ():
                begin(
                    place, lane
                )  # it waits for an answer, or its execution died: it too has something to release
            executions.knock_lanes(place, loop)
            hint(f"asked the engine to stop {loop.id}; waiting for the release")
            asked = True
        if time.monotonic() >= deadline:
            hint(f"not released yet; wpfsm wait {loop.id} goes on waiting")
            return DETACHED
        time.sleep(SHARED_LOOK_SECONDS)
        loop = history.find(loop.id)
    report(given, history, loop, None)
    return 0


def _source(loop: Loop) -> str:
    job = loop.loop_file.get("job")
    return str(job.get("source") or "") if isinstance(job, dict) else ""


def _say_what_does_not_run(place: Place, loop: Loop) -> None:
    """Say what does not run in a function, before anything is written.

    Raises:
        Refused: A strategy that the function has no library for.
    """
    file = LoopFile.model_validate(loop.loop_file)
    if any(rule.model_dump().get("command") for rule in file.on_failure):
        hint(
            "note: programs of on_failure (command) do not run in the engine; there the failure is a hand-off"
        )
    if file.notify.command:
        hint("note: notify.command does not run in the engine; an https address in notify.urls is told")
    if file.track.mlflow:
        hint("note: track.mlflow: the engine sends no runs; wpfsm resume sends them when the loop is closed")
    others = [url for url in file.notify.urls if not is_webhook(url)]
    if others and "notify" not in place.extras:
        hint(
            "note: the engine was deployed without Apprise, so it tells https addresses only; "
            "pip install 'wpfsm[notify]', then wpfsm deploy"
        )
    bayes = any(getattr(phase, "method", "") == "bayes" for phase in file.phases)
    if bayes and "bayes" not in place.extras:
        raise Refused(
            "strategy.method bayes needs Optuna, and the engine was deployed without it",
            fix="pip install 'wpfsm[bayes]', then wpfsm deploy; or method random",
        )
