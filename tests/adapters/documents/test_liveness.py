"""Does somebody drive this loop: by its lock on this host, by its heartbeat on another."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest
from report_loops import BEGAN, Made, write_loop

from wpfsm.adapters.documents.liveness import look
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.leases import STALE_SECONDS, acquire
from wpfsm.state.paths import siblings


def driven_on(host: str, database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("update owners set host = ?", (host,))
    connection.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """With one open loop, last driven by host `host` at BEGAN."""
    write_loop(tmp_path / "w.db", [Made({})], outcome=None)
    return tmp_path / "w.db"


def alive(database: Path, now: float) -> bool | None:
    history = History(open_existing(database))
    return look(history, database, history.find("made-00c0de"), now).alive


def test_on_this_host_the_lock_decides(database: Path) -> None:
    """A heartbeat that is old says nothing while the lock is held, and a fresh one nothing once it is free."""
    driven_on(socket.gethostname(), database)
    lease = acquire(siblings(database, "locks"), "loop-made-00c0de", what="loop", holder="test")
    assert alive(database, BEGAN + 10 * STALE_SECONDS) is True
    lease.release()
    assert alive(database, BEGAN) is False


def test_on_another_host_the_heartbeat_decides(database: Path) -> None:
    """Nobody can see that host's locks."""
    driven_on("another-host", database)
    assert alive(database, BEGAN + STALE_SECONDS - 1) is True
    assert alive(database, BEGAN + STALE_SECONDS + 1) is False


def test_a_closed_loop_is_driven_by_nobody(tmp_path: Path) -> None:
    """Even while its controller's last heartbeat is fresh."""
    write_loop(tmp_path / "w.db", [Made({})])
    driven_on("another-host", tmp_path / "w.db")
    assert alive(tmp_path / "w.db", BEGAN) is False
