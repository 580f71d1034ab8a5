"""Commits over a network: overtaken, and with an answer that is lost; the rest is in test_store_contract."""

from __future__ import annotations

from typing import Any

import pytest
from shared_rows import again, owned
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
