"""Which loop a word means."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from state_rows import LOOP

from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import Loop, State
from wpfsm.state.database import create_or_open
from wpfsm.state.history import History
from wpfsm.state.store import create_loop


@contextlib.contextmanager
def holding(path: Path, *loops: Loop) -> Iterator[History]:
    """A history of these loops."""
    with contextlib.closing(create_or_open(path)) as connection:
        for loop in loops:
            create_loop(connection, path, replace(loop, state=State.PREFLIGHT), "from a file")
            if loop.state is not State.PREFLIGHT:
                _set_state(connection, loop)
        yield History(connection)


def _set_state(connection: sqlite3.Connection, loop: Loop) -> None:
    outcome = "completed" if loop.state is State.CLOSED else None
    connection.execute(
        "update loops set state = ?, outcome = ? where id = ?", (str(loop.state), outcome, loop.id)
    )


def loop(name: str, suffix: str, at: float, state: State = State.CLOSED) -> Loop:
    """A loop of a name, begun at a moment."""
    return replace(LOOP, id=f"{name}-{suffix}", name=name, created_at=at, updated_at=at, state=state)


def test_a_name_means_the_newest_and_for_acting_the_one_that_is_open(tmp_path: Path) -> None:
    """A second run, refused or not, leaves the name usable."""
    open_one, refused = loop("lr", "aaaaaa", 1.0, State.RUNNING), loop("lr", "bbbbbb", 2.0)
    with holding(tmp_path / "wpfsm.db", open_one, refused) as history:
        assert history.find("lr").id == "lr-bbbbbb"
        assert history.find("lr", acting=True).id == "lr-aaaaaa"
        assert history.count_named("lr") == 2


def test_a_name_whose_loops_are_all_closed_means_the_newest(tmp_path: Path) -> None:
    """To resume a closed loop shows it, and is no error."""
    with holding(tmp_path / "wpfsm.db", loop("lr", "aaaaaa", 1.0), loop("lr", "bbbbbb", 2.0)) as history:
        assert history.find("lr", acting=True).id == "lr-bbbbbb"


def test_a_name_of_two_open_loops_is_refused_to_who_acts(tmp_path: Path) -> None:
    """To stop the wrong one would cost its pool."""
    loops = [loop("lr", "aaaaaa", 1.0, State.RUNNING), loop("lr", "bbbbbb", 2.0, State.RUNNING)]
    with holding(tmp_path / "wpfsm.db", *loops) as history:
        with pytest.raises(NotFound, match="lr-bbbbbb, lr-aaaaaa"):
            history.find("lr", acting=True)
        assert history.find("lr").id == "lr-bbbbbb"


def test_the_exact_name_wins_over_the_beginning_of_another_id(tmp_path: Path) -> None:
    """``lr`` is a loop's name although ``lr-wide-…`` begins with it."""
    with holding(tmp_path / "wpfsm.db", loop("lr", "aaaaaa", 1.0), loop("lr-wide", "cccccc", 3.0)) as history:
        assert history.find("lr").id == "lr-aaaaaa"
        assert history.find("lr-w").id == "lr-wide-cccccc"
        with pytest.raises(NotFound, match="could be any of"):
            history.find("l")


@pytest.mark.parametrize("word", ["%", "_r", "lr-%", "", "*"])
def test_nothing_in_a_name_is_a_wildcard(tmp_path: Path, word: str) -> None:
    """``stop %`` stops nothing."""
    with holding(tmp_path / "wpfsm.db", loop("lr", "aaaaaa", 1.0)) as history, pytest.raises(NotFound):
        history.find(word, acting=True)
