"""Whoever sleeps is woken by a knock."""

from __future__ import annotations

from shared_rows import shared

from wpfsm.state.shared import wake


def test_a_knock_is_never_lost() -> None:
    """Whoever knocks after the turn began wakes the sleeper, or keeps it from lying down."""
    with shared() as (table, _):
        heard = wake.knocks(table, "l")
        assert wake.arm(table, "l", "callback-1", heard)
        assert wake.knock(table, "l") == "callback-1"
        assert not wake.arm(table, "l", "callback-2", heard)
        assert wake.arm(table, "l", "callback-2", wake.knocks(table, "l"))
