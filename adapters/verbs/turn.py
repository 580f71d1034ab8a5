"""`wpfsm turn`: one turn of a loop, for whatever calls it again."""

from __future__ import annotations

import contextlib
import time

from wpfsm.adapters.aws.targets import place_of
from wpfsm.adapters.documents.lanes import resting
from wpfsm.adapters.documents.loop import error_document
from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.adapters.verbs.detach import DETACHED
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.records import JSON, State
from wpfsm.fsm.units import duration


def turn(given: Options, which: str) -> int:
    """Take one turn; exit code 11 while the loop goes on, else its own.

    Raises:
        Fenced: Another turn took the loop over meanwhile; nothing more was done.
        Held: A controller drives it.
    """
    found = _shared_turn(given, which) if given.shared else _local_turn(given, which)
    seconds, code = found["seconds"], found["exit_code"]
    goes_on = isinstance(seconds, int | float)
    again = f", look again in {duration(seconds)}" if isinstance(seconds, int | float) else ""
    said = f"{found['loop']}: {found['state']}"
    emit(
        given,
        {"schema": "wpfsm/1", "turn": found},
        said + again,
    )
    if isinstance(code, int):
        return code
    return DETACHED if goes_on else 0


def _shared_turn(given: Options, which: str) -> dict[str, JSON]:
    from wpfsm.adapters.engine import turns
    from wpfsm.fsm.controller import HANDED_OFF
    from wpfsm.state.shared.history import SharedHistory

    place = place_of(given)
    history = SharedHistory(place.table, place.blobs)
    loop = history.find(which, acting=True)
    if not loop.lane_of:
        loop = named(history, which, acting=True)
    lanes = [each.id for each in history.lanes(loop.id) if each.state is not State.CLOSED]
    if not lanes:
        return turns.take(place, loop.id, cache=given.database)
    # A group: one turn of each lane, the first one last, for it closes last.
    taken = [turns.take(place, each, cache=given.database) for each in reversed(lanes)]
    due = [each["seconds"] for each in taken if isinstance(each["seconds"], int | float)]
    goes_on = any(not each["over"] for each in taken)
    code = (
        HANDED_OFF if resting(history, history.find(loop.id)) else None if goes_on else taken[-1]["exit_code"]
    )
    return {**taken[-1], "over": not goes_on, "seconds": min(due, default=None), "exit_code": code}


def _local_turn(given: Options, which: str) -> dict[str, JSON]:
    from wpfsm.adapters.engine.bootstrap import connect
    from wpfsm.adapters.engine.turns import EngineClock
    from wpfsm.adapters.host.stop_request import StopSignals
    from wpfsm.adapters.watchers.audience import audience
    from wpfsm.fsm import controller
    from wpfsm.state.database import open_existing
    from wpfsm.state.history import History

    connection = open_existing(given.database, write=True)
    loop = named(History(connection), which, acting=True)
    signals = StopSignals()
    signals.install()
    with contextlib.closing(signals), audience(given, loop, History(connection)) as told:
        owned = connect(
            connection,
            given.database,
            loop,
            progress=told.progress,
            notifier=told.notifier,
            signals=signals,
            hook=told.hook,
            clock=EngineClock(),
        )
        with contextlib.closing(owned):
            taken = controller.turn(owned.ports)
    found: dict[str, JSON] = {"loop": loop.id, "state": str(taken.loop.state), "exit_code": taken.exit_code}
    seconds = None if taken.look_at is None else max(0.0, taken.look_at - time.time())
    error = error_document(taken.error)["error"] if taken.error else ""
    return {**found, "over": taken.exit_code is not None, "seconds": seconds, "error": error}
