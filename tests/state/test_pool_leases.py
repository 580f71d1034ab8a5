"""One loop a pool key, for as long as its process lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from wpfsm.fsm.errors import Held
from wpfsm.state.pool_leases import LocalPoolLeases


def test_a_pool_key_is_one_loops(tmp_path: Path) -> None:
    """A key taken twice by its holder is one right; another holder is refused until it is given back."""
    mine, theirs = LocalPoolLeases(tmp_path), LocalPoolLeases(tmp_path)
    mine.take("k", "a")
    mine.take("k", "a")
    with pytest.raises(Held, match="the pool key k is held"):
        theirs.take("k", "b")
    theirs.take("other", "b")
    mine.release()
    theirs.take("k", "b")
    theirs.release()


def test_who_keeps_no_pool_is_refused_a_key_that_is_held_and_takes_none(tmp_path: Path) -> None:
    """Looking takes nothing: two loops without a pool may look at once, and a third may take the key."""
    mine, theirs = LocalPoolLeases(tmp_path), LocalPoolLeases(tmp_path)
    mine.refuse_held("k", "a")
    theirs.refuse_held("k", "b")
    mine.take("k", "a")
    mine.refuse_held("k", "a")
    with pytest.raises(Held, match="loop a, host"):
        theirs.refuse_held("k", "b")
    mine.release()
