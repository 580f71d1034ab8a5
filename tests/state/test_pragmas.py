"""What SQLite is told: every commit reaches the disk, and the write-ahead log only where it is safe."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from state_rows import INTENT, JOB, OBLIGATION, again, owned

from wpfsm.fsm.records import Change, State
from wpfsm.state import database
from wpfsm.state.database import open_existing
from wpfsm.state.pragmas import WAL_IS_SAFE

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    """A commit has been synchronised when it returns, whoever opened the file."""
    with (
        owned(tmp_path / "w.db") as (connection, _),
        contextlib.closing(open_existing(tmp_path / "w.db")) as reader,
    ):
        for each, journal in ((connection, "truncate"), (reader, "delete")):
            assert each.execute("pragma synchronous").fetchone()[0] == 3
            assert each.execute("pragma journal_mode").fetchone()[0] == ("wal" if WAL_IS_SAFE else journal)


def test_an_older_sqlite_writes_no_write_ahead_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that was made where the log is safe loses it where two writers can corrupt it."""
    path = tmp_path / "w.db"
    with owned(path) as (connection, _):
        connection.execute("pragma journal_mode = wal")
    monkeypatch.setattr(database, "WAL_IS_SAFE", False)
    with again(path) as rows:
        assert rows.commit(INTENDED, state=State.SUBMITTING).version == 1
    with contextlib.closing(open_existing(path)) as reader:
        assert reader.execute("pragma journal_mode").fetchone()[0] == "delete"
