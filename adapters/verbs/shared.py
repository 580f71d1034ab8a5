"""`start`, `resume`, `stop` and what cleans up, for a loop whose turns are taken by a team's engine.

Preflight and a release run here, with the user's credentials; everything between is the engine's.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from wpfsm.adapters.aws.targets import history_of, place_of
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.engine.ports import ports_of
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import DETACHED
from wpfsm.adapters.verbs.drive import on_signal, report, send_again
from wpfsm.adapters.verbs.naming import named
from wpfsm.adapters.verbs.wait import SHARED_LOOK_SECONDS, wait
from wpfsm.adapters.watchers.audience import audience
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context, Ports
from wpfsm.fsm.errors import Held, Refused, StoreError
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import Loop, Outcome, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.store import create_loop, request_stop
from wpfsm.state.shared.table import Update

FOREVER = "8760h"


def start(given: Options, file: Path, loop: Loop, *, follow: bool) -> int:
    """Preflight here, then the engine; exit code 11 with the loop's id, or with ``follow`` the loop's own."""
    place = place_of(given)
    if not place.function:
        raise Refused(f"{given.shared} has no engine", fix="wpfsm deploy")
    _refuse_what_needs_this_machine(loop)
    create_loop(place.table, place.blobs, loop, f"from {file}")
    with _driving(given, place, loop) as ports:
        ports.sources.snapshot(_source(loop)) if loop.source_digest else None
        taken = controller.turn(ports, until=State.SUBMITTING)
    if taken.exit_code is not None:
        hint(f"loop {loop.id}")
        return report(given, history_of(given), taken.loop, taken.error, taken.exit_code)
    _begin(place, loop)
    hint(f"loop {loop.id}")
    if follow:
        code = wait(given, loop.id, FOREVER)
        return DETACHED if code == 130 else code
    hint(f"the engine drives it; wpfsm wait {loop.id} follows, wpfsm inspect {loop.id} shows")
    report(given, history_of(given), loop, None)
    return DETACHED


def resume(given: Options, which: str, *, accept_changes: bool) -> int:
    """Take up an answered hand-off or a loop whose engine died, and give it to the engine again."""
    place, history = place_of(given), history_of(given)
    loop = named(history, which, acting=True)
    if loop.state is State.CLOSED:
        code = report(given, history, loop, None)
        send_again(given, loop)
        return code
    if look(history, given.database, loop, time.time()).alive and loop.handoff is None:
        raise Held(f"the engine drives {loop.id}", fix=f"wpfsm wait {loop.id}, or wpfsm stop {loop.id}")
    with _driving(given, place, loop, forget_stop=True) as ports:
        for note in take_up_changes(Context(ports), accept=accept_changes):
            hint(note)
        if loop.generation == 0:
            # Its Preflight never ended: what it uploads and renders is on this machine.
            taken = controller.turn(ports, until=State.SUBMITTING)
            if taken.exit_code is not None:
                return report(given, history, taken.loop, taken.error, taken.exit_code)
    _begin(place, history.find(loop.id))
    hint(f"the engine goes on with it; wpfsm wait {loop.id} follows")
    report(given, history, loop, None)
    return DETACHED


def finish(given: Options, which: str, outcome: Outcome, why: str) -> int:
    """Release a loop from this machine; its execution learns that another generation has it, and ends."""
    place, history = place_of(given), history_of(given)
    loop = named(history, which, acting=True)
    if loop.state is State.CLOSED:
        report(given, history, loop, None)
        return 0
    if loop.generation:
        here = {"generation": loop.generation + 1}
        place.table.update(Update(loop.id, LOOP, here, {"generation": loop.generation}))
    with _driving(given, place, loop) as ports:
        controller.abandon(ports, outcome, why)
        taken = controller.turn(ports)
    executions.knock(place, loop.id)
    code = report(given, history, taken.loop, taken.error, taken.exit_code)
    return 0 if taken.loop.state is State.CLOSED else code


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
            executions.knock(place, loop.id)
            hint(f"asked the engine to stop {loop.id}; waiting for the release")
            asked = True
        if time.monotonic() >= deadline:
            hint(f"not released yet; wpfsm wait {loop.id} goes on waiting")
            return DETACHED
        time.sleep(SHARED_LOOK_SECONDS)
        loop = history.find(loop.id)
    report(given, history, loop, None)
    return 0


@contextlib.contextmanager
def _driving(given: Options, place: Place, loop: Loop, *, forget_stop: bool = False) -> Iterator[Ports]:
    """Own the loop on this machine, with whoever watches."""
    signals = StopSignals(on_signal)
    signals.install()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(signals))
        told = stack.enter_context(audience(given, loop, history_of(given)))
        yield stack.enter_context(
            ports_of(
                place,
                loop,
                given.database,
                clock=WallClock(signals),
                stop=signals,
                progress=told.progress,
                notifier=told.notifier,
                engine=False,
                hook=told.hook,
                forget_stop=forget_stop,
            )
        )


def _begin(place: Place, loop: Loop) -> None:
    """Give the loop to the engine; where that does not answer, the sweep does it later."""
    try:
        executions.begin(place, loop.id, loop.generation)
    except StoreError as error:
        hint(f"note: {error.message}\n  {error.fix}")


def _source(loop: Loop) -> str:
    job = loop.loop_file.get("job")
    return str(job.get("source") or "") if isinstance(job, dict) else ""


def _refuse_what_needs_this_machine(loop: Loop) -> None:
    """Say what does not run in a function, before anything is written.

    Raises:
        Refused: A strategy that the function has no library for, or a trial that must be rendered there.
    """
    file = LoopFile.model_validate(loop.loop_file)
    rules = [rule for rule in file.on_failure if "command" in rule.model_dump()]
    if any(rule.model_dump().get("command") for rule in rules):
        hint(
            "note: programs of on_failure (command) do not run in the engine; there the failure is a hand-off"
        )
    if file.track.mlflow:
        hint("note: track.mlflow: the engine sends no runs; wpfsm resume sends them when the loop is closed")
    if file.asks is not None:
        raise Refused(
            "strategy ask waits for wpfsm next, which is not offered for a shared table yet",
            fix="start it with the database of this machine",
        )
    if any(getattr(phase, "method", "") == "bayes" for phase in file.phases):
        raise Refused(
            "strategy.method bayes needs Optuna, which the engine's bundle does not have",
            fix="method random, or start it with the database of this machine",
        )
