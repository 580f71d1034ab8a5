"""`resume` of a group whose lanes are driven by a team's engine, each by an execution of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence

from wpfsm.adapters.documents.lanes import resting, standing
from wpfsm.adapters.documents.liveness import engine, look
from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import DETACHED
from wpfsm.adapters.verbs.drive import report
from wpfsm.adapters.verbs.proposal import instead_of_failed
from wpfsm.adapters.verbs.shared_driving import begin, close_here, driving, what_needs_this_machine
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Held
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import Loop, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state.shared.loops import propose


def not_driven(given: Options, history: History, group: Loop) -> list[Loop]:
    """The open lanes without an execution: it died, was never begun, or ended with a hand-off."""
    now = time.time()

    def lives(lane: Loop) -> bool | None:
        if lane.generation:
            return engine(lane, history.owner(lane.id), now).alive
        return look(history, given.database, lane, now).alive

    return [
        lane for lane in history.lanes(group.id) if lane.state is not State.CLOSED and lives(lane) is False
    ]


def resume_lanes(
    given: Options,
    place: Place,
    history: History,
    first: Loop,
    *,
    accept_changes: bool,
    skip: bool,
    settings: Sequence[str],
) -> int:
    """Start again the execution of every lane that has none, and leave those alone that go on.

    A group that waits for an answer is taken up as a whole, so that a changed file holds for every lane.

    Raises:
        Held: Every open lane is driven.
    """
    still_open = [each for each in history.lanes(first.id) if each.state is not State.CLOSED]
    if resting(history, first) is None:
        still_open = not_driven(given, history, first)
    in_preflight = not first.generation and first.id not in {each.id for each in still_open}
    if not still_open or in_preflight:
        raise Held(f"the engine drives {first.id}", fix=f"wpfsm wait {first.id}, or wpfsm stop {first.id}")
    if skip or settings:
        asked = instead_of_failed(standing(history, first), skip=skip, settings=settings)
        propose(place.table, place.blobs, asked)
    # Those that wait for the answer come first: where there is none, nothing is begun.
    still_open.sort(key=lambda each: (each.handoff is None, each.lane))
    notes: dict[str, None] = {}
    for each in still_open:
        taken = _take_up(given, place, each, notes, accept=accept_changes)
        if taken is not None and each.lane == 1 and taken.loop.state is State.RELEASING:
            ended = close_here(given, place, history.lanes(first.id))
            return report(given, history, ended.loop, ended.error, ended.exit_code)
    for note in notes:
        hint(note)
    for each in still_open:
        begin(place, history.find(each.id))
    executions.knock_lanes(place, first)
    hint(f"the engine goes on with it; wpfsm wait {first.id} follows")
    report(given, history, first, None)
    return DETACHED


def _take_up(
    given: Options, place: Place, lane: Loop, notes: dict[str, None], *, accept: bool
) -> controller.Turn | None:
    """A lane's answer, and what of it needs this machine; a lane that never joined has neither."""
    if lane.lane > 1 and not lane.generation:
        return None
    with driving(given, place, lane, forget_stop=True) as ports:
        notes.update(dict.fromkeys(take_up_changes(Context(ports), accept=accept)))
        return what_needs_this_machine(ports, lane)
