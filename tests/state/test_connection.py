"""Another process holds the database: it is waited for, named, and not for ever."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from state_rows import again, events

from wpfsm.fsm.errors import StoreError
from wpfsm.fsm.records import Change
from wpfsm.state import database
from wpfsm.state.connection import LOCKS, Patience, PatientConnection

CHECKED = Change(kind="checked", why="nothing", data={"text": "x" * 20_000})


def test_a_locked_database_is_waited_for_and_then_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that stays is named as the reason; what was committed stands."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with again(path) as rows, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="another process holds it"):
            rows.commit(CHECKED)
        other.execute("rollback")
        rows.commit(CHECKED)
    assert events(path) == [1, 2]


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin immediate")
connection.execute("select * from loops").fetchall()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_process_that_holds_the_database_is_waited_for_by_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell or a viewer that has the file open ends no controller: it waits, says for whom, and goes on."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with (
        again(path) as rows,
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        told: list[str] = []

        def tell(what: str, _: float) -> None:
            told.append(what)
            other.communicate()  # the viewer is closed

        connection = rows._connection
        assert isinstance(connection, PatientConnection)
        connection.patience = Patience(60, tell)
        rows.commit(CHECKED)
    assert events(path) == [1, 2]
    if LOCKS.exists():
        assert f"pid {other.pid}" in told[0]


def test_patience_with_whoever_holds_the_database_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held for longer than an outage may last is an error that names `wpfsm resume`."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with again(path) as rows, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        connection = rows._connection
        assert isinstance(connection, PatientConnection)
        connection.patience = Patience(0.1, lambda _, __: None)
        with pytest.raises(StoreError, match="another process holds it") as refusal:
            rows.commit(CHECKED)
        assert "wpfsm resume" in refusal.value.fix
        other.execute("rollback")
