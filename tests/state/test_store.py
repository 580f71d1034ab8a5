"""One transaction a change, one owner, a history without gaps."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from state_rows import INTENT, JOB, LOOP, OBLIGATION, again, owned

from wpfsm.fsm.errors import Fenced, NotFound, StoreError
from wpfsm.fsm.records import Change, Curve, Outcome, State, Trial
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.store import IdTaken, LoopStore, create_loop, request_stop, transaction

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_what_a_job_reported_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A curve is replaced by the newer one of the same job and metric; gaps stay gaps."""
    first = Curve("lr-1", 2, "loss", 1, ((1, 100.5, 0.5),))
    longer = dataclasses.replace(first, reports=2, points=((1, 100.5, 0.5), (2, 101.0, None)))
    other = Curve("lr-1", 1, "acc", 1, ((1, 99.0, 1.0),))
    with owned(tmp_path / "wpfsm.db") as (connection, rows):
        rows.commit(Change("reported", "", curves=(first, other), quiet=True))
        rows.commit(Change("reported", "", curves=(longer,), quiet=True))
        assert History(connection).curves("lr-1") == [other, longer]


def test_a_change_is_committed_whole(tmp_path: Path) -> None:
    """State, event and rows of one change are there together, and read back as they were written."""
    with owned(tmp_path / "w.db") as (_, rows):
        loop = rows.commit(INTENDED, state=State.SUBMITTING)
        assert (loop.state, loop.version, loop.updated_at) == (State.SUBMITTING, 1, 101.0)
        assert rows.jobs() == [JOB]
        assert rows.intents() == [INTENT]
        assert rows.obligations() == [OBLIGATION]
        assert [(e.seq, e.kind, e.source, e.target) for e in rows.events()] == [
            (1, "created", "", "Preflight"),
            (2, "intended", "Preflight", "Submitting"),
        ]


def test_a_row_is_asked_for_by_name(tmp_path: Path) -> None:
    """A trial by its number, what was asked of the service for a job, and what that job may have left."""
    trials = tuple(Trial(LOOP.id, number, {}, f"t{number}") for number in (1, 2))
    update = dataclasses.replace(INTENT, kind="update", argument="0")
    second = dataclasses.replace(update, number=2, status="done")
    with owned(tmp_path / "w.db") as (_, rows):
        rows.commit(dataclasses.replace(INTENDED, trials=trials, intents=(INTENT, second, update)))
        assert rows.trial(2) == trials[1]
        with pytest.raises(LookupError):
            rows.trial(3)
        assert rows.intents_of(JOB.name, "update") == [update, second]
        assert rows.intents_of(JOB.name, "stop") == rows.intents_of("another", "update") == []
        assert rows.obligation(JOB.name) == OBLIGATION
        assert rows.obligation("another") is None


def test_a_transaction_has_the_database_from_its_beginning(tmp_path: Path) -> None:
    """A writer never reads what another one is about to change: it waits before its first statement, or is refused."""
    path = tmp_path / "w.db"
    with owned(path) as (connection, _), contextlib.closing(open_existing(path, write=True)) as other:
        other.execute("pragma busy_timeout = 0")
        with transaction(connection, path), pytest.raises(StoreError, match="another process holds it"):
            request_stop(other, path, LOOP.id, 1.0)
        request_stop(other, path, LOOP.id, 1.0)


def test_a_change_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """When the last row of a change is refused, the first ones are not there either."""
    nameless = dataclasses.replace(OBLIGATION, status="discharged", evidence="")
    broken = dataclasses.replace(INTENDED, obligations=(nameless,))
    with owned(tmp_path / "w.db") as (_, rows):
        with pytest.raises(Exception, match="CHECK constraint"):
            rows.commit(broken, state=State.SUBMITTING)
        assert rows.loop().state is State.PREFLIGHT
        assert rows.jobs() == []
        assert [event.seq for event in rows.events()] == [1]


def test_a_change_whose_event_fails_leaves_nothing(tmp_path: Path) -> None:
    """No state without its line in the history: when the event cannot be written, the rows are not there either."""
    unwritable: Any = {"data": object()}
    with owned(tmp_path / "w.db") as (_, rows):
        with pytest.raises(TypeError):
            rows.commit(dataclasses.replace(INTENDED, data=unwritable), state=State.SUBMITTING)
        assert rows.loop().state is State.PREFLIGHT
        assert rows.jobs() == []


def test_closed_without_an_outcome_is_refused_by_the_database(tmp_path: Path) -> None:
    """A closed loop says how it ended, whoever writes it."""
    with owned(tmp_path / "w.db") as (_, rows):
        with pytest.raises(Exception, match="CHECK constraint"):
            rows.commit(Change(kind="released", why=""), state=State.CLOSED)
        closed = rows.commit(
            Change(kind="released", why="", loop={"outcome": Outcome.STOPPED}), state=State.CLOSED
        )
        assert closed.outcome is Outcome.STOPPED


READS: list[Callable[[LoopStore], Any]] = [
    LoopStore.loop, LoopStore.trials, LoopStore.jobs, LoopStore.last_job, LoopStore.intents, LoopStore.obligations,
    LoopStore.events, LoopStore.stop_requested, lambda rows: rows.job(1), lambda rows: rows.job_named("lr-1-001"),
    lambda rows: rows.rendered("s"), lambda rows: rows.trial(1), lambda rows: rows.intents_of("lr-1-001", "create"),
    lambda rows: rows.obligation("lr-1-001"),
]  # fmt: skip
WRITES: list[Callable[[LoopStore], Any]] = [
    lambda rows: rows.commit(INTENDED), lambda rows: rows.beat(200.0), lambda rows: rows.rest(300.0, 200.0), lambda rows: rows.save_rendered("s", {}),
]  # fmt: skip


@pytest.mark.parametrize("use", [*READS, *WRITES])
def test_an_owner_that_was_replaced_neither_reads_nor_writes(
    tmp_path: Path, use: Callable[[LoopStore], Any]
) -> None:
    """Every read that a controller acts on and every write is refused once the loop has another owner."""
    path = tmp_path / "w.db"
    with owned(path) as (_, zombie), again(path) as heir:
        with pytest.raises(Fenced, match="taken over"):
            use(zombie)
        assert [event.seq for event in heir.events()] == [1]


def test_the_history_has_no_gap_with_several_owners(tmp_path: Path) -> None:
    """Sequence numbers go on from owner to owner."""
    path = tmp_path / "w.db"
    with owned(path) as (_, rows):
        rows.commit(Change(kind="checked", why=""))
    for _ in range(3):
        with again(path) as rows:
            rows.commit(Change(kind="checked", why=""))
            rows.commit(Change(kind="live", why="", quiet=True))
    with contextlib.closing(open_existing(path)) as connection:
        assert [event.seq for event in History(connection).events(LOOP.id)] == [1, 2, 3, 4, 5]


def test_a_request_to_stop_reaches_the_owner(tmp_path: Path) -> None:
    """Another process may ask without owning the loop, between two owners too; only a person's resume ends it."""
    path = tmp_path / "w.db"
    with owned(path) as (_, rows), contextlib.closing(open_existing(path, write=True)) as other:
        assert not rows.stop_requested()
        request_stop(other, path, LOOP.id, 101.0)
        assert rows.stop_requested()
        with again(path) as heir:
            assert heir.stop_requested()
        with again(path, forget_stop=True) as resumed:
            assert not resumed.stop_requested()


def test_patience_counts_while_somebody_watches(tmp_path: Path) -> None:
    """What is waited for outlives an owner that is replaced soon, or that said when it looks again; no other."""
    path = tmp_path / "w.db"
    waits = {"the pool": 100.0}
    with owned(path) as (_, rows):
        rows.commit(Change(kind="waiting", why="", loop={"waits": waits}, at=110.0, quiet=True))
    with again(path, at=150.0) as soon:
        assert soon.loop().waits == waits
        soon.rest(900.0, 151.0)
        assert soon.loop().look_at == 900.0
    with again(path, at=930.0) as due:
        assert due.loop().waits == waits
        assert due.loop().look_at is None
    with again(path, at=991.0) as late:
        assert late.loop().waits == {}


def test_a_loop_that_is_gone_is_not_found(tmp_path: Path) -> None:
    """No row is an error of its own, not an empty loop."""
    with owned(tmp_path / "w.db") as (connection, _), pytest.raises(NotFound, match="nobody"):
        LoopStore(connection, tmp_path / "w.db", "nobody", 1).loop()


def test_trials_are_replaced_by_their_number(tmp_path: Path) -> None:
    """A row of the same key is the same row."""
    trial = Trial(loop_id=LOOP.id, number=1, params={}, label="lr=1")
    with owned(tmp_path / "w.db") as (_, rows):
        rows.commit(Change(kind="drawn", why="", trials=(trial,)))
        rows.commit(Change(kind="done", why="", trials=(dataclasses.replace(trial, state="completed"),)))
        assert [t.state for t in rows.trials()] == ["completed"]


def test_an_id_that_was_drawn_twice_overwrites_nothing(tmp_path: Path) -> None:
    """A second loop of the same id is refused, and the first one keeps its row, its owner and its history."""
    path = tmp_path / "w.db"
    with owned(path) as (connection, rows):
        with pytest.raises(IdTaken):
            create_loop(connection, path, dataclasses.replace(LOOP, name="another"), "from another file")
        assert rows.loop().name == LOOP.name
        assert [event.kind for event in rows.events()] == ["created"]
