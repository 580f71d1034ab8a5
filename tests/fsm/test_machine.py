"""The machine as a table: every event in every state, whatever came before."""

from __future__ import annotations

import random

import pytest

from wpfsm.fsm.machine import GuardFailed, LoopMachine, MachineModel, TransitionNotAllowed, advance
from wpfsm.fsm.records import State

EVENTS = sorted(event.id for event in LoopMachine.events)
ROWS = [
    MachineModel(state, lock, limit, owed)
    for state in State
    for lock in ("", "role differs")
    for limit in ("", "limits.max_jobs is reached")
    for owed in ([], ["a-001"])
]


def fresh(row: MachineModel, event: str) -> State | None:
    """Where a machine that was built for this row goes; None when it refuses."""
    scratch = MachineModel(row.state, row.lock_differs, row.over_limit, row.owed)
    try:
        LoopMachine(scratch).send(event)
    except TransitionNotAllowed:
        return None
    return State(scratch.state or "")


def test_what_is_allowed_does_not_depend_on_what_came_before():
    """Every event in every state under every guard, twice and in any order: the answer is the machine's own."""
    asked = [(row, event) for row in ROWS for event in EVENTS] * 2
    random.Random(1).shuffle(asked)
    for row, event in asked:
        expected = fresh(row, event)
        if expected is None:
            with pytest.raises((GuardFailed, TransitionNotAllowed)):
                advance(row, event)
        else:
            assert advance(row, event) is expected


def test_a_row_is_left_as_it_was():
    """Checking an event changes nothing: the store writes what was allowed."""
    row = MachineModel(State.SUBMITTING)
    assert advance(row, "submitted") is State.RUNNING
    assert row == MachineModel(State.SUBMITTING)


def test_a_guard_says_why():
    """What refuses is named in the guard's own words."""
    with pytest.raises(GuardFailed, match="not yet released: a-001"):
        advance(MachineModel(State.RELEASING, owed=["a-001"]), "released")
    with pytest.raises(GuardFailed, match="role differs"):
        advance(MachineModel(State.SUBMITTING, lock_differs="role differs"), "intended")


def test_a_state_from_the_future_is_refused():
    """A row that a newer version wrote is not taken for one of ours."""
    with pytest.raises(ValueError, match="Daydreaming"):
        advance(MachineModel("Daydreaming"), "released")
