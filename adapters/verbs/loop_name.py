"""Which loop a word means: its id, its name, or the beginning of an id."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wpfsm.adapters.terminal.output import hint
from wpfsm.fsm.records import Loop
from wpfsm.fsm.units import stamp

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History

LANE = "WPFSM_LANE"
"""Tells ``resume`` that its process drives this one lane, and not its group."""


def in_lane() -> bool:
    """Whether this process drives one lane of a group."""
    return LANE in os.environ


def named(history: History, which: str, *, acting: bool = False) -> Loop:
    """The loop that is meant; where a name has stood for several, stderr says which one was taken.

    Args:
        history: Where the loops are.
        which: What the user wrote.
        acting: For a verb that changes the loop or waits for it: a name means the loop of it that is not closed.

    Raises:
        NotFound: No loop is meant, or more than one could be.
    """
    loop = history.find(which, acting=acting)
    if loop.lane_of and not in_lane():
        hint(f"{which} is a lane of {loop.lane_of}, which is meant")
        return history.find(loop.lane_of)
    if loop.id != which and loop.name == which and (count := history.count_named(which)) > 1:
        hint(
            f"{which}: {count} loops have this name; {loop.id} is meant ({loop.state}, of {stamp(loop.created_at)})"
        )
    return loop
