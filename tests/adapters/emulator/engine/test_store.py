"""The emulator's file: what it says of itself, and what becomes of one that is another's or full."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.store import SCHEMA_VERSION, Store
from wpfsm.adapters.emulator.inprocess import Emulator


def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    """The SQLite file carries the emulator's application id and schema version."""
    with Emulator(state=tmp_path):
        pass
    db = sqlite3.connect(tmp_path / "emulator.db")
    assert db.execute("PRAGMA application_id").fetchone()[0] != 0
    assert db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    db.close()


def test_a_file_of_another_version_is_set_aside(tmp_path: Path) -> None:
    """An emulator whose schema differs starts afresh and keeps the old file under another name."""
    path = tmp_path / "emulator.db"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE jobs (shape TEXT)")
    old.execute("PRAGMA user_version=999")
    old.close()
    with Emulator(state=tmp_path) as emulator:
        assert not emulator.jobs()
    assert (tmp_path / "emulator.db.version-999").exists()


def fill(store: Store) -> None:
    """Let no further page be written, as a full disk does."""
    (pages,) = store.db.execute("pragma page_count").fetchone()
    store.db.execute(f"pragma max_page_count = {pages}")


def write(store: Store) -> None:
    """More than the free pages hold."""
    store.begin()
    store.db.execute("insert into log_streams (account, region, name, first, last, ingested, visible, lines)"
                     " values ('1', 'r', ?, 0, 0, 0, 0, 0)", ("x" * 1_000_000,))  # fmt: skip


def test_what_cannot_be_written_is_forgotten_and_can_be_asked_for_again(tmp_path: Path) -> None:
    """The error is one of the service that is worth a repetition; with room, the same write succeeds."""
    store = Store(tmp_path / "emulator.db")
    fill(store)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        write(store)
    store.undo()
    assert store.commit() is False
    store.db.execute("pragma max_page_count = 100000")
    write(store)
    assert store.commit() is True
    store.close()


def test_a_commit_that_fails_is_the_services_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 500: a client takes it for trouble of the service, and nothing for done."""
    store = Store(tmp_path / "emulator.db")
    store.begin()

    class Full:
        in_transaction = True

        def __init__(self, db: sqlite3.Connection) -> None:
            self.db = db

        def execute(self, statement: str, *given: object) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return self.db.execute(statement, *given)

    real = store.db
    monkeypatch.setattr(store, "db", Full(real))
    with pytest.raises(ServiceError, match="EmulatorDiskFull: the emulator cannot write its state") as error:
        store.commit()
    assert error.value.status == 500
    monkeypatch.setattr(store, "db", real)
    assert not store.db.in_transaction
    store.close()
