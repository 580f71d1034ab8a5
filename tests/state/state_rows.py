"""Rows for the tests of the store."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from wpfsm.fsm.records import Intent, Job, Loop, Obligation, Owner, State
from wpfsm.state.database import create_or_open, open_existing
from wpfsm.state.history import History
from wpfsm.state.store import LoopStore, create_loop, take_over

LOOP = Loop(
    id="lr-1", name="lr", state=State.PREFLIGHT, backend="local", region="us-east-1", created_at=100.0,
    updated_at=100.0, loop_file={"version": 1},
)  # fmt: skip
JOB = Job(
    loop_id="lr-1", number=1, trial=1, name="lr-1-001", params={"lr": 0.1}, request={"a": [1, None, "x"]},
    request_digest="d", source_digest="s", keep_alive=600.0, max_runtime=3600.0,
)  # fmt: skip
OBLIGATION = Obligation(
    loop_id="lr-1", job_name="lr-1-001", account="1", region="us-east-1", endpoint_url="", created_at=100.0
)  # fmt: skip
INTENT = Intent(loop_id="lr-1", kind="create", job_name="lr-1-001", number=1, epoch=1, argument="d")


def owner(host: str = "here", at: float = 100.0) -> Owner:
    """A controller."""
    return Owner(host, 1, at, at)


@contextlib.contextmanager
def owned(path: Path) -> Iterator[tuple[sqlite3.Connection, LoopStore]]:
    """A database with one loop and its owner; gone afterwards."""
    with contextlib.closing(create_or_open(path)) as connection:
        create_loop(connection, path, LOOP, "from a file")
        yield connection, LoopStore(connection, path, LOOP.id, take_over(connection, path, LOOP.id, owner()))


@contextlib.contextmanager
def again(path: Path, *, at: float = 100.0, forget_stop: bool = False) -> Iterator[LoopStore]:
    """The next owner of the loop."""
    with contextlib.closing(open_existing(path, write=True)) as connection:
        yield LoopStore(connection, path, LOOP.id, take_over(
            connection, path, LOOP.id, owner("there", at), forget_stop=forget_stop))  # fmt: skip


def events(path: Path) -> list[int]:
    """The history of the loop, read as `inspect` reads it."""
    with contextlib.closing(open_existing(path)) as connection:
        return [event.seq for event in History(connection).events(LOOP.id)]
