"""A database that cannot be used says why, loses nothing that was committed, and how to release without it."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from state_rows import JOB, LOOP, again, owned

from wpfsm.cli import cli
from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.fsm.records import Change
from wpfsm.state import database
from wpfsm.state.connection import LOCKS, Patience, PatientConnection
from wpfsm.state.database import SCHEMA_VERSION, create_or_open, open_existing
from wpfsm.state.history import History

CHECKED = Change(kind="checked", why="nothing", data={"text": "x" * 20_000})


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A database with one loop in it."""
    path = tmp_path / "w.db"
    with owned(path):
        pass
    yield path
    if path.exists():
        path.chmod(0o600)


def events(path: Path) -> list[int]:
    """The history of the loop, read as `inspect` reads it."""
    with contextlib.closing(open_existing(path)) as connection:
        return [event.seq for event in History(connection).events(LOOP.id)]


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


def test_a_corrupt_page_is_said_to_be_one(path: Path) -> None:
    """Damage inside the file is an error of the store, never an empty answer."""
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 8] = b"\xff" * 8
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"corrupt|malformed") as refusal:
        events(path)
    assert "nothing committed was lost" not in refusal.value.fix


def test_damaged_text_is_an_error(path: Path) -> None:
    """Bytes that are no text are an error of the store too, though SQLite gives it no name."""
    content = path.read_bytes()
    assert b"from a file" in content
    path.write_bytes(content.replace(b"from a file", b"from \xff file"))
    with pytest.raises(StoreError, match="UTF-8"):
        events(path)


@pytest.mark.parametrize(("was", "becomes"), [
    (b"us-east-1", b"us-\xff\xffst-1"),  # text that is none
    (b'{"version":1}', b'{"version";1}'),  # JSON that is none
    (b"Preflight", b"Preflught"),  # a state that nobody knows
])  # fmt: skip
@pytest.mark.parametrize("verb", ["inspect", "resume", "release", "stop", "wait"])
def test_damage_inside_a_row_is_no_riddle(path: Path, was: bytes, becomes: bytes, verb: str) -> None:
    """Whoever meets a damaged row learns that the file is damaged, and how to release without it."""
    content = path.read_bytes()
    assert was in content
    path.write_bytes(content.replace(was, becomes))
    result = CliRunner().invoke(cli, [verb, LOOP.id, "--db", str(path)])
    assert result.exit_code == 75, result.output
    assert "damaged; the file was left as it is" in result.output
    assert "release --job" in result.output
    assert "nothing committed was lost" not in result.output


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
    connection.execute("insert into events values ('lr-1', ?, 0, 'x', '', '', ?, '{}')", (number + 10, "y" * 500))
os.kill(os.getpid(), 9)
"""


def test_a_reader_undoes_what_a_killed_writer_left(path: Path) -> None:
    """Kill -9 in the middle of a transaction: the first one who looks sees the last commit, and only that."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -9
    if not database.WAL_IS_SAFE:
        assert path.with_name("w.db-journal").stat().st_size > 0
    assert events(path) == [1]


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


@pytest.mark.parametrize("write", [True, False])
def test_a_version_that_nobody_wrote_is_promised_no_migration(path: Path, write: bool) -> None:
    """``user_version`` 0 is damage: no migration of ours begins there."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 0")
    with pytest.raises(StoreError, match="version 0") as refusal:
        open_existing(path, write=write)
    assert "migrates" not in refusal.value.fix


def test_a_file_that_was_taken_away_is_not_said_to_be_whole(path: Path) -> None:
    """Nothing claims that nothing was lost, where the file itself is gone."""
    path.unlink()
    found = database.explain(sqlite3.OperationalError("disk I/O error"), path)
    assert "nothing committed was lost" not in found.fix
