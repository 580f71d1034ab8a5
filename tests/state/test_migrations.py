"""The schema is made whole or not at all, and only by versions that know it."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from wpfsm.fsm.errors import StoreError
from wpfsm.state.database import SCHEMA_VERSION, create_or_open, open_existing


def test_a_newer_schema_is_refused(path: Path) -> None:
    """A database that a newer version wrote is not touched by an older one."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    for write in (True, False):
        with pytest.raises(StoreError, match="newer wpfsm") as refusal:
            open_existing(path, write=write)
        assert "upgrade" in refusal.value.fix
    assert path.read_bytes() == before


def test_two_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    """Both find the same whole schema; nobody sees an empty file."""
    script = "import sys, pathlib; from wpfsm.state.database import create_or_open; create_or_open(pathlib.Path(sys.argv[1]))"
    path = tmp_path / "new" / "w.db"
    both = [subprocess.Popen([sys.executable, "-c", script, str(path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    with contextlib.closing(open_existing(path)) as connection:
        assert connection.execute("pragma user_version").fetchone()[0] == SCHEMA_VERSION
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_a_creation_that_was_killed_leaves_no_half_database(tmp_path: Path) -> None:
    """What a dead process left beside the place is thrown away, and nothing empty is in the place."""
    (tmp_path / "w.db.new").write_bytes(b"half")
    create_or_open(tmp_path / "w.db").close()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.endswith((".db", ".new"))) == ["w.db"]


@pytest.mark.parametrize("problem", ["folder", "file"])
def test_a_place_that_cannot_be_used(tmp_path: Path, problem: str) -> None:
    """A folder in the place of the file, or a file in the place of the folder, is named."""
    place = tmp_path / "there"
    place.mkdir() if problem == "folder" else place.touch()
    with pytest.raises(StoreError, match="there"):
        create_or_open(place if problem == "folder" else place / "w.db")


@pytest.mark.parametrize("write", [True, False])
def test_a_version_that_nobody_wrote_is_promised_no_migration(path: Path, write: bool) -> None:
    """``user_version`` 0 is damage: no migration of ours begins there."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 0")
    with pytest.raises(StoreError, match="version 0") as refusal:
        open_existing(path, write=write)
    assert "migrates" not in refusal.value.fix
