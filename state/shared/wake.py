"""Who is to be woken, and how often somebody knocked: one item a loop, so that no knock falls between two reads."""

from __future__ import annotations

from wpfsm.state.shared.items import WAKE
from wpfsm.state.shared.table import Table, Update


def knocks(table: Table, loop_id: str) -> int:
    """How often somebody has knocked; read before a turn, and compared when its engine lies down to sleep."""
    item = table.get(loop_id, WAKE)
    return int(item.get("knocks", 0)) if item else 0


def arm(table: Table, loop_id: str, callback: str, heard: int) -> bool:
    """Note what wakes the loop's engine; False when somebody has knocked since ``heard`` was read.

    Args:
        table: The table.
        loop_id: The loop.
        callback: The engine's name for what ends its sleep.
        heard: What :func:`knocks` said before the turn.
    """
    where = {"knocks": heard or None}
    return table.update(Update(loop_id, WAKE, {"callback": callback}, where)) is not None


def knock(table: Table, loop_id: str) -> str:
    """Ask for a turn now. Returns what to answer to wake the engine; empty when nobody sleeps there."""
    return str(table.count(loop_id, WAKE, "knocks").get("callback", ""))
