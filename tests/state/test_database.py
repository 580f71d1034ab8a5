"""A database that cannot be used says why, loses nothing that was committed, and how to release without it."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from state_rows import JOB, again, events

from wpfsm.cli import cli
from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.fsm.records import Change
from wpfsm.state import database
from wpfsm.state.database import create_or_open, open_existing

CHECKED = Change(kind="checked", why="nothing", data={"text": "x" * 20_000})


def test_a_missing_file_is_not_created_by_reading(tmp_path: Path) -> None:
    """Only `start` creates a database."""
    for write in (True, False):
        with pytest.raises(NotFound, match="no database"):
            open_existing(tmp_path / "none.db", write=write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("opened", [open_existing, create_or_open])
def test_an_empty_file_means_that_something_was_lost(tmp_path: Path, opened: object) -> None:
    """Zero bytes pass SQLite's own checks; they are refused, by `start` too, and left as they are."""
    path = tmp_path / "w.db"
    path.touch()
    with pytest.raises(StoreError, match="empty: its contents were lost") as refusal:
        opened(path)  # type: ignore[operator]
    assert "wpfsm gc" in refusal.value.fix
    assert path.stat().st_size == 0


@pytest.mark.parametrize("opened", [open_existing, create_or_open])
def test_another_programs_database_is_left_alone(tmp_path: Path, opened: object) -> None:
    """A database without our mark is neither read nor migrated."""
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("create table loops (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a wpfsm database"):
        opened(path)  # type: ignore[operator]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    ["drop table proposals", "alter table trials rename column label to wording"],
    ids=["table", "column"],
)
def test_what_is_missing_is_found_before_anything_is_sent(path: Path, damage: str) -> None:
    """`start` does not run a job first, and fail when its row is written."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
    with pytest.raises(StoreError, match="it is damaged"):
        create_or_open(path)


def test_a_file_that_is_no_database(path: Path) -> None:
    """A broken header is said to be one, and the file is kept."""
    content = b"not a database at all" + path.read_bytes()[21:]
    path.write_bytes(content)
    with pytest.raises(
        StoreError, match="it is not an SQLite database; the file was left as it is"
    ) as refusal:
        open_existing(path, write=True)
    assert "gc --apply" in refusal.value.fix
    assert "release --job" in refusal.value.fix
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [(None, 6, "no database"), (b"", 75, "empty"), (b"x" * 4096, 75, "not an SQLite database")],
)
@pytest.mark.parametrize("verb", [["inspect"], ["resume", "lr-1"], ["stop", "lr-1"]])
def test_the_command_line_says_what_to_do(
    tmp_path: Path, content: bytes | None, code: int, words: str, verb: list[str]
) -> None:
    """One message, one fix, the exit code of the table, and no traceback."""
    path = tmp_path / "w.db"
    if content is not None:
        path.write_bytes(content)
    result = CliRunner().invoke(cli, [*verb, "--db", str(path)])
    assert result.exit_code == code
    assert words in result.output
    assert "fix: " in result.output
    assert "Traceback" not in result.output


def test_a_read_only_file_can_be_read(path: Path) -> None:
    """`inspect` needs no right to write; a controller is told that it has none."""
    if os.geteuid() == 0:
        pytest.skip("root may write anything")
    path.chmod(stat.S_IRUSR)
    assert events(path) == [1]
    with pytest.raises(StoreError, match="read-only"), again(path):
        pass


def test_a_connection_that_reads_cannot_write(path: Path) -> None:
    """The verbs that only read cannot change anything by mistake."""
    with contextlib.closing(open_existing(path)) as connection, pytest.raises(StoreError, match="read-only"), \
            database.explained(path):  # fmt: skip
        connection.execute("delete from loops")


def test_a_full_database_loses_nothing(path: Path) -> None:
    """SQLITE_FULL in the middle of a change: the change is gone as a whole, and the next one succeeds."""
    with again(path) as rows:
        connection = rows._connection
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(StoreError, match="the disk is full"):
            rows.commit(Change(kind="checked", why="", jobs=(JOB,), data=CHECKED.data))
        assert not connection.in_transaction
        assert rows.jobs() == []
        connection.execute("pragma max_page_count = 1000000")
        rows.commit(CHECKED)
    assert events(path) == [1, 2]


LIMITED = """
import resource, signal, sys, pathlib
from state_rows import again
from wpfsm.fsm.errors import StoreError
from wpfsm.fsm.records import Change
path = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with again(path) as rows:
    size = path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        rows.commit(Change(kind="checked", why="", data={"text": "x" * 200_000}))
    except StoreError as error:
        print(error)
"""


def test_a_file_size_limit_loses_nothing(path: Path) -> None:
    """RLIMIT_FSIZE ends a write half-way; the database is as it was before."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parent)  # fmt: skip
    assert "a file size limit was reached" in done.stdout or "the disk is full" in done.stdout
    assert events(path) == [1]


KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma cache_size = 1")
connection.execute("begin immediate")
for number in range(2000):
    connection.execute("insert into events (loop_id, seq, at, kind, source, target, why, data) "
                       "values ('lr-1', ?, 0, 'x', '', '', ?, '{}')", (number + 10, "y" * 500))
os.kill(os.getpid(), 9)
"""


def test_a_reader_undoes_what_a_killed_writer_left(path: Path) -> None:
    """Kill -9 in the middle of a transaction: the first one who looks sees the last commit, and only that."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -9
    if not database.WAL_IS_SAFE:
        assert path.with_name("w.db-journal").stat().st_size > 0
    assert events(path) == [1]


def test_a_file_that_was_taken_away_is_not_said_to_be_whole(path: Path) -> None:
    """Nothing claims that nothing was lost, where the file itself is gone."""
    path.unlink()
    found = database.explain(sqlite3.OperationalError("disk I/O error"), path)
    assert "nothing committed was lost" not in found.fix
