"""Commits over a network: overtaken, and with an answer that is lost; the rest is in test_store_contract."""

from __future__ import annotations

from typing import Any

import pytest
from shared_rows import again, lanes, owned
from state_rows import INTENT, JOB, OBLIGATION

from wpfsm.fsm.errors import Fenced
from wpfsm.fsm.records import Change, State

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_a_commit_that_an_heir_overtakes_is_fenced() -> None:
    """Between the read and the transaction the loop may change hands: the transaction itself is conditional."""
    with owned() as (table, blobs, zombie):
        plain = table.transact

        def late(*given: Any) -> bool:
            table.transact = plain  # type: ignore[method-assign]
            again(table, blobs)
            return plain(*given)

        table.transact = late  # type: ignore[method-assign]
        with pytest.raises(Fenced):
            zombie.commit(INTENDED, state=State.SUBMITTING)
        assert again(table, blobs).jobs() == []


def test_a_commit_whose_answer_was_lost_is_not_taken_for_a_fence() -> None:
    """Sent again after it had happened, it is recognised by its token, and happens once."""
    with owned() as (table, _, rows):
        plain = table.transact

        def twice(*given: Any) -> bool:
            plain(*given)
            return False  # what a second try is told: the version has moved on

        table.transact = twice  # type: ignore[method-assign]
        assert rows.commit(INTENDED, state=State.SUBMITTING).version == 1
        table.transact = plain  # type: ignore[method-assign]
        assert rows.commit(Change(kind="checked", why="", at=102.0)).version == 2
        assert [event.seq for event in rows.events()] == [1, 2, 3]


def test_a_sibling_that_commits_in_between_takes_no_number_twice() -> None:
    """Between what a lane reads and what it writes another one commits: the history goes on behind that."""
    with lanes() as (table, one, two):
        plain = table.transact

        def after_a_sibling(*given: Any) -> bool:
            table.transact = plain  # type: ignore[method-assign]
            two.commit(Change(kind="checked", why="", at=101.0))
            return plain(*given)

        table.transact = after_a_sibling  # type: ignore[method-assign]
        one.commit(Change(kind="checked", why="", at=101.0))
        assert ([e.seq for e in two.events()], [e.seq for e in one.events()]) == ([2, 3], [1, 4])


def test_a_lanes_commit_whose_answer_was_lost_happens_once() -> None:
    """Also where a sibling has committed before it is looked for."""
    with lanes() as (table, one, two):
        plain = table.transact

        def lost(*given: Any) -> bool:
            table.transact = plain  # type: ignore[method-assign]
            plain(*given)
            two.commit(Change(kind="checked", why="", at=101.0))
            return False

        table.transact = lost  # type: ignore[method-assign]
        expects = one.lanes()[0].tally
        assert one.commit(Change(kind="proceed", why="", at=101.0, expects=expects)).version == 1
        assert [e.seq for e in one.events()] == [1, 3]
        assert two.lanes()[0].tally == expects + 1
