"""What every store promises, SQLite's and the shared table's: one transaction a change, one owner, a history without gaps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from kept import Kept
from state_rows import INTENT, JOB, LOOP, OBLIGATION

from wpfsm.fsm.errors import Fenced, NotFound, StoreError
from wpfsm.fsm.ports import Store
from wpfsm.fsm.records import Change, Curve, Outcome, State, Trial
from wpfsm.state import store as sqlite

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_a_change_is_committed_whole(kept: Kept) -> None:
    """State, event and rows of one change are there together, and read back as they were written, by anyone."""
    rows = kept.again()
    loop = rows.commit(INTENDED, state=State.SUBMITTING)
    assert (loop.state, loop.version, loop.updated_at) == (State.SUBMITTING, 1, 101.0)
    assert rows.loop() == dataclasses.replace(loop, look_at=None)
    for next_owner in (lambda: rows, kept.again):
        store = next_owner()
        assert store.jobs() == [JOB]
        assert store.intents() == [INTENT]
        assert store.obligations() == [OBLIGATION]
        assert [(e.seq, e.kind, e.source, e.target) for e in store.events()] == [
            (1, "created", "", "Preflight"),
            (2, "intended", "Preflight", "Submitting"),
        ]


def test_what_a_job_reported_is_read_as_it_was_written(kept: Kept) -> None:
    """A curve is replaced by the newer one of the same job and metric; gaps stay gaps; its owner carries none around."""
    first = Curve("lr-1", 2, "loss", 1, ((1, 100.5, 0.5),))
    longer = dataclasses.replace(first, reports=2, points=((1, 100.5, 0.5), (2, 101.0, None)))
    other = Curve("lr-1", 1, "acc", 1, ((1, 99.0, 1.0),))
    rows = kept.again()
    rows.commit(Change("reported", "", curves=(first, other), quiet=True))
    rows.commit(Change("reported", "", curves=(longer,), quiet=True))
    assert kept.history().curves("lr-1") == [other, longer]
    assert kept.again().jobs() == []


def test_a_row_is_asked_for_by_name(kept: Kept) -> None:
    """A trial by its number, what was asked of the service for a job, and what that job may have left."""
    trials = tuple(Trial(LOOP.id, number, {}, f"t{number}") for number in (1, 2))
    update = dataclasses.replace(INTENT, kind="update", argument="0")
    second = dataclasses.replace(update, number=2, status="done")
    rows = kept.again()
    rows.commit(dataclasses.replace(INTENDED, trials=trials, intents=(INTENT, second, update)))
    assert rows.trial(2) == trials[1]
    with pytest.raises(LookupError):
        rows.trial(3)
    assert rows.intents_of(JOB.name, "update") == [update, second]
    assert rows.intents_of(JOB.name, "stop") == rows.intents_of("another", "update") == []
    assert rows.obligation(JOB.name) == OBLIGATION
    assert rows.obligation("another") is None


def test_a_change_that_fails_leaves_nothing(kept: Kept) -> None:
    """A row that the schema refuses, or an event that cannot be written, leaves nothing behind."""
    nameless = dataclasses.replace(OBLIGATION, status="discharged", evidence="")
    unwritable: Any = {"data": object()}
    rows = kept.again()
    with pytest.raises(Exception, match="CHECK constraint"):
        rows.commit(dataclasses.replace(INTENDED, obligations=(nameless,)), state=State.SUBMITTING)
    with pytest.raises(TypeError):
        rows.commit(dataclasses.replace(INTENDED, data=unwritable), state=State.SUBMITTING)
    assert rows.loop().state is State.PREFLIGHT
    assert rows.jobs() == []
    assert [event.seq for event in rows.events()] == [1]


def test_closed_without_an_outcome_is_refused(kept: Kept) -> None:
    """A closed loop says how it ended, whoever writes it."""
    rows = kept.again()
    with pytest.raises(Exception, match="CHECK constraint"):
        rows.commit(Change(kind="released", why=""), state=State.CLOSED)
    closed = rows.commit(
        Change(kind="released", why="", loop={"outcome": Outcome.STOPPED}), state=State.CLOSED
    )
    assert closed.outcome is Outcome.STOPPED


USES: list[Callable[[Store], Any]] = [
    lambda rows: rows.loop(), lambda rows: rows.trials(), lambda rows: rows.jobs(), lambda rows: rows.last_job(),
    lambda rows: rows.intents(), lambda rows: rows.obligations(), lambda rows: rows.events(),
    lambda rows: rows.stop_requested(), lambda rows: rows.job(1), lambda rows: rows.job_named("lr-1-001"),
    lambda rows: rows.rendered("s"), lambda rows: rows.trial(1), lambda rows: rows.intents_of("lr-1-001", "create"),
    lambda rows: rows.obligation("lr-1-001"), lambda rows: rows.proposals(), lambda rows: rows.commit(INTENDED),
    lambda rows: rows.beat(200.0), lambda rows: rows.rest(300.0, 200.0), lambda rows: rows.save_rendered("s", {}),
]  # fmt: skip


def test_an_owner_that_was_replaced_neither_reads_nor_writes(kept: Kept) -> None:
    """Every read that a controller acts on and every write is refused once the loop has another owner."""
    zombie = kept.again()
    zombie.jobs()
    heir = kept.again()
    for use in USES:
        with pytest.raises(Fenced, match="taken over"):
            use(zombie)
    assert [event.seq for event in heir.events()] == [1]


def test_the_history_has_no_gap_with_several_owners(kept: Kept) -> None:
    """Sequence numbers go on from owner to owner; what is quiet has none."""
    kept.again().commit(Change(kind="checked", why=""))
    for _ in range(3):
        rows = kept.again()
        rows.commit(Change(kind="checked", why=""))
        rows.commit(Change(kind="live", why="", quiet=True))
    assert [event.seq for event in rows.events()] == [1, 2, 3, 4, 5]


def test_a_request_to_stop_reaches_the_owner(kept: Kept) -> None:
    """Anyone may ask without owning the loop, between two owners too; only a person's resume ends it."""
    rows = kept.again()
    assert not rows.stop_requested()
    kept.request_stop()
    assert rows.stop_requested()
    assert kept.again().stop_requested()
    assert not kept.again(forget_stop=True).stop_requested()


def test_patience_counts_while_somebody_watches(kept: Kept) -> None:
    """What is waited for outlives an owner that is replaced soon, or that said when it looks again; no other."""
    waits = {"the pool": 100.0}
    kept.again().commit(Change(kind="waiting", why="", loop={"waits": waits}, at=110.0, quiet=True))
    soon = kept.again(at=150.0)
    assert soon.loop().waits == waits
    soon.rest(900.0, 151.0)
    assert soon.loop().look_at == 900.0
    due = kept.again(at=930.0)
    assert (due.loop().waits, due.loop().look_at) == (waits, None)
    assert kept.again(at=991.0).loop().waits == {}


def test_a_loop_that_is_gone_is_not_found(kept: Kept) -> None:
    """No row is an error of its own, not an empty loop."""
    with pytest.raises(NotFound, match="nobody"):
        kept.of("nobody").loop()


def test_trials_are_replaced_by_their_number(kept: Kept) -> None:
    """A row of the same key is the same row."""
    trial = Trial(loop_id=LOOP.id, number=1, params={}, label="lr=1")
    rows = kept.again()
    rows.commit(Change(kind="drawn", why="", trials=(trial,)))
    rows.commit(Change(kind="done", why="", trials=(dataclasses.replace(trial, state="completed"),)))
    assert [t.state for t in kept.again().trials()] == ["completed"]


def test_an_id_that_was_drawn_twice_overwrites_nothing(kept: Kept) -> None:
    """A second loop of the same id is refused, and the first one keeps its row, its owner and its history."""
    rows = kept.again()
    with pytest.raises((StoreError, sqlite.IdTaken)):
        kept.create(dataclasses.replace(LOOP, name="another"))
    assert rows.loop().name == LOOP.name
    assert [event.kind for event in rows.events()] == ["created"]
