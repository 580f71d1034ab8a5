"""What the reading verbs find in the shared table."""

from __future__ import annotations

import dataclasses

import pytest
from shared_rows import owned
from state_rows import INTENT, JOB, LOOP, OBLIGATION

from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import Change, Outcome, PatchAttempt, State, Trial
from wpfsm.state.shared.history import SharedHistory

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_the_history_is_that_of_the_rows() -> None:
    """Lists, a loop by name or prefix, jobs by name, what is owed, the events after one."""
    memory = PatchAttempt("f", LOOP.id, JOB.name, "c", "k", None, "worked", 1.0)  # type: ignore[arg-type]
    with owned() as (table, blobs, rows):
        rows.commit(dataclasses.replace(INTENDED, remembered=(memory,)), state=State.SUBMITTING)
        rows.commit(Change(kind="drawn", why="", trials=(Trial(LOOP.id, 1, {}, "lr=1"),), at=103.0))
        history = SharedHistory(table, blobs)
        assert [(h.id, h.jobs, h.state) for h in history.loops()] == [(LOOP.id, 1, "Submitting")]
        assert history.find("lr").id == history.find("lr-").id == history.find(LOOP.id).id == LOOP.id
        with pytest.raises(NotFound, match="nobody"):
            history.find("nobody")
        assert history.job_named(JOB.name) == JOB
        assert history.owed() == [OBLIGATION]
        assert [e.seq for e in history.events(LOOP.id, 1)] == [2, 3]
        assert history.last_event(LOOP.id).kind == "drawn"  # type: ignore[union-attr]
        assert history.owner(LOOP.id).host == "here"  # type: ignore[union-attr]
        assert [loop.id for loop in history.unfinished()] == [LOOP.id]
        rows.commit(Change(kind="released", why="", loop={"outcome": Outcome.STOPPED}), state=State.CLOSED)
        assert history.unfinished() == []
