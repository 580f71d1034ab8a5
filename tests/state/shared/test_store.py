"""The shared store keeps what the SQLite store promises: one transaction a change, one owner, no gap."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from shared_rows import again, owned
from state_rows import INTENT, JOB, LOOP, OBLIGATION

from wpfsm.fsm.errors import Fenced, StoreError
from wpfsm.fsm.records import Change, Curve, State, Trial
from wpfsm.state.shared.history import SharedHistory
from wpfsm.state.shared.store import SharedStore, request_stop

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_a_change_is_committed_whole() -> None:
    """State, event and rows of one change are there together, and read back as they were written."""
    with owned() as (table, blobs, rows):
        loop = rows.commit(INTENDED, state=State.SUBMITTING)
        assert (loop.state, loop.version, loop.updated_at) == (State.SUBMITTING, 1, 101.0)
        assert rows.loop() == dataclasses.replace(loop, look_at=None)
        for next_owner in (lambda: rows, lambda: again(table, blobs)):
            store = next_owner()
            assert store.jobs() == [JOB]
            assert store.intents() == [INTENT]
            assert store.obligations() == [OBLIGATION]
            assert [(e.seq, e.kind, e.source, e.target) for e in store.events()] == [
                (1, "created", "", "Preflight"),
                (2, "intended", "Preflight", "Submitting"),
            ]


def test_what_a_job_reported_is_read_as_it_was_written() -> None:
    """As in SQLite; and its owner does not carry it around."""
    first = Curve("lr-1", 2, "loss", 1, ((1, 100.5, 0.5),))
    longer = dataclasses.replace(first, reports=2, points=((1, 100.5, 0.5), (2, 101.0, None)))
    other = Curve("lr-1", 1, "acc", 1, ((1, 99.0, 1.0),))
    with owned() as (table, blobs, rows):
        rows.commit(Change("reported", "", curves=(first, other), quiet=True))
        rows.commit(Change("reported", "", curves=(longer,), quiet=True))
        assert SharedHistory(table, blobs).curves("lr-1") == [other, longer]
        assert again(table, blobs).jobs() == []


def test_a_row_is_asked_for_by_name() -> None:
    """A trial by its number, what was asked of the service for a job, and what that job may have left."""
    trials = tuple(Trial(LOOP.id, number, {}, f"t{number}") for number in (1, 2))
    update = dataclasses.replace(INTENT, kind="update", argument="0")
    second = dataclasses.replace(update, number=2, status="done")
    with owned() as (_, _blobs, rows):
        rows.commit(dataclasses.replace(INTENDED, trials=trials, intents=(INTENT, second, update)))
        assert rows.trial(2) == trials[1]
        with pytest.raises(LookupError):
            rows.trial(3)
        assert rows.intents_of(JOB.name, "update") == [update, second]
        assert rows.intents_of(JOB.name, "stop") == rows.intents_of("another", "update") == []
        assert rows.obligation(JOB.name) == OBLIGATION
        assert rows.obligation("another") is None


def test_a_change_that_fails_leaves_nothing() -> None:
    """A row that the schema refuses, or an event that cannot be written, leaves nothing behind."""
    nameless = dataclasses.replace(OBLIGATION, status="discharged", evidence="")
    unwritable: Any = {"data": object()}
    with owned() as (_, _blobs, rows):
        with pytest.raises(StoreError, match="CHECK constraint"):
            rows.commit(dataclasses.replace(INTENDED, obligations=(nameless,)), state=State.SUBMITTING)
        with pytest.raises(StoreError, match="CHECK constraint"):
            rows.commit(Change(kind="released", why=""), state=State.CLOSED)
        with pytest.raises(TypeError):
            rows.commit(dataclasses.replace(INTENDED, data=unwritable), state=State.SUBMITTING)
        assert rows.loop().state is State.PREFLIGHT
        assert rows.jobs() == []
        assert [event.seq for event in rows.events()] == [1]


USES: list[Callable[[SharedStore], Any]] = [
    SharedStore.loop, SharedStore.trials, SharedStore.jobs, SharedStore.last_job, SharedStore.intents,
    SharedStore.obligations, SharedStore.events, SharedStore.stop_requested, lambda rows: rows.job(1),
    lambda rows: rows.job_named("lr-1-001"), lambda rows: rows.rendered("s"), lambda rows: rows.commit(INTENDED),
    lambda rows: rows.beat(200.0), lambda rows: rows.save_rendered("s", {}), lambda rows: rows.rest(300.0, 200.0),
    lambda rows: rows.trial(1), lambda rows: rows.intents_of("lr-1-001", "create"), lambda rows: rows.obligation("x"),
]  # fmt: skip


def test_an_owner_that_was_replaced_neither_reads_nor_writes() -> None:
    """Every read that a controller acts on and every write is refused once the loop has another owner."""
    with owned() as (table, blobs, zombie):
        zombie.jobs()
        heir = again(table, blobs)
        for use in USES:
            with pytest.raises(Fenced, match="taken over"):
                use(zombie)
        assert [event.seq for event in heir.events()] == [1]


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


def test_a_request_to_stop_reaches_the_owner() -> None:
    """Another machine may ask without owning the loop, between two owners too; only a person's resume ends it."""
    with owned() as (table, blobs, rows):
        assert not rows.stop_requested()
        request_stop(table, LOOP.id, 101.0)
        assert rows.stop_requested()
        assert again(table, blobs).stop_requested()
        assert not again(table, blobs, forget_stop=True).stop_requested()


def test_patience_counts_while_somebody_watches() -> None:
    """What is waited for outlives an owner that is replaced soon, or that said when it looks again; no other."""
    waits = {"the pool": 100.0}
    with owned() as (table, blobs, rows):
        rows.commit(Change(kind="waiting", why="", loop={"waits": waits}, at=110.0, quiet=True))
        soon = again(table, blobs, at=150.0)
        assert soon.loop().waits == waits
        soon.rest(900.0, 151.0)
        assert soon.loop().look_at == 900.0
        due = again(table, blobs, at=930.0)
        assert (due.loop().waits, due.loop().look_at) == (waits, None)
        assert again(table, blobs, at=991.0).loop().waits == {}
