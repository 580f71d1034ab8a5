"""A pool key in the shared table."""

from __future__ import annotations

import dataclasses

import pytest
from shared_rows import owned
from state_rows import LOOP

from wpfsm.fsm.errors import Held
from wpfsm.fsm.records import Change, Outcome, State
from wpfsm.state.shared.loops import create_loop
from wpfsm.state.shared.pools import SharedPoolLeases


def test_a_pool_key_is_held_by_its_loop_until_that_is_closed() -> None:
    """Another loop is refused, and told whose it is; the same loop takes it again from anywhere."""
    with owned() as (table, blobs, rows):
        create_loop(table, blobs, dataclasses.replace(LOOP, id="lr-2"), "")
        leases = SharedPoolLeases(table)
        leases.take("key", LOOP.id)
        leases.take("key", LOOP.id)
        with pytest.raises(Held, match="lr-1"):
            leases.take("key", "lr-2")
        rows.commit(Change(kind="released", why="", loop={"outcome": Outcome.STOPPED}), state=State.CLOSED)
        leases.take("key", "lr-2")
        with pytest.raises(Held, match="lr-2"):
            leases.take("key", LOOP.id)
