"""Opens the one SQLite file: creating it, reading it, and saying clearly why it cannot be used."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.state.connection import PatientConnection, held, is_busy
from wpfsm.state.pragmas import APPLICATION_ID, BUSY_SECONDS, WAL_IS_SAFE
from wpfsm.state.private import private_folder

SCHEMA_VERSION = 2
"""``user_version`` of the newest migration; equals the number of files in ``sql/``."""


def open_existing(path: Path, *, write: bool = False) -> PatientConnection:
    """Open a database that exists; never create one.

    Raises:
        NotFound: There is no such file.
        StoreError: It is empty, not ours, of a newer version, corrupt or not accessible.
    """
    if not path.exists():
        raise NotFound(
            f"no database at {path}", fix="wpfsm start creates it; --db or $WPFSM_DB names another"
        )
    with explained(path):
        if write:
            _migrate(path)
        connection = _connect(path)
        try:
            if not write:
                connection.execute("pragma query_only = on")
            elif not WAL_IS_SAFE:
                # As durable as deleting the journal, and without a change of the folder at each commit.
                connection.execute("pragma journal_mode = truncate")
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def create_or_open(path: Path) -> PatientConnection:
    """Open the database for writing, creating or migrating it first.

    Raises:
        StoreError: As for :func:`open_existing`.
    """
    with _writable(path):
        private_folder(path.parent)
        if path.is_dir():
            raise StoreError(f"{path} is a folder, not a database", fix="name a file with --db")
        if path.exists() and path.stat().st_size == 0:
            raise _emptied(path)
    with explained(path), _writable(path):
        if not path.exists():
            from wpfsm.state.migrations import create

            create(path)
    connection = open_existing(path, write=True)
    try:
        with explained(path):
            _check_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_tables(connection: PatientConnection) -> None:
    """Every table and column is there: what is missing is found before a job is sent, not when its row is written."""
    from wpfsm.state.codec import TABLES, columns

    for record, table in TABLES.items():
        connection.execute(f"select {', '.join(columns(record))} from {table} limit 0")  # noqa: S608 - our own names


@contextlib.contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn SQLite's errors into ours: what happened to the file, and what to do without it.

    Raises:
        StoreError: For every ``sqlite3.Error``.
    """
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise explain(error, path) from error


@contextlib.contextmanager
def _writable(path: Path) -> Iterator[None]:
    """A folder in which the database cannot be made: read-only, no folder, its disk full.

    Raises:
        StoreError: For every ``OSError``.
    """
    try:
        yield
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else f"{error.strerror}".lower()
        raise StoreError(
            f"database {path}: {path.parent} cannot be written: {why}; nothing was created, and no job was started",
            fix="give the right to write there (or make room), or name another place with --db or $WPFSM_DB",
        ) from error


def explain(error: Exception, path: Path | str) -> StoreError:
    """What an error of SQLite means for the file, and what to do: with it, or without it.

    Args:
        error: An ``sqlite3.Error``, or what Python's module raises when the file holds bytes that are no text.
        path: The database.
    """
    name = getattr(error, "sqlite_errorname", "") or ""
    # SQLite has no name for bytes that are no text, nor for what a column should hold.
    damaged = (not name and not isinstance(error, sqlite3.ProgrammingError)) or name == "SQLITE_ERROR"
    other = f"it is damaged; {_LEFT}" if damaged else str(error)
    text = next((words for code, words in _MEANING.items() if name.startswith(code)), other)
    if isinstance(error, sqlite3.Error) and is_busy(error):
        text = held(path)
        first = "let that process end, then run the same command again (`wpfsm resume` goes on with a loop); "
    elif text.endswith(_LEFT):
        first = ""
    elif not Path(path).exists() or name == "SQLITE_READONLY_DBMOVED":
        text = "the file was removed, or replaced by another one, while it was in use"
        first = "put the file back where it was, if there is a copy of it; "
    else:
        first = "nothing committed was lost; " if name.startswith(_HARMLESS) else ""
    return StoreError(
        f"database {path}: {text} ({name or type(error).__name__}: {error})", fix=first + WITHOUT
    )


WITHOUT = (
    "without the database, `wpfsm gc --apply` finds and releases the pools of every loop by their jobs' tags, "
    "and `wpfsm release --job NAME` one of them"
)
"""What is left to do where the database cannot be used."""
_HARMLESS = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY", "SQLITE_CANTOPEN")
"""Errors that refuse a write, or the file as a whole, and leave what was committed alone."""
_LEFT = "the file was left as it is"
_MEANING = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk reported an error, or a file size limit was reached",
    "SQLITE_READONLY": "it, or its folder, is read-only",
    "SQLITE_CANTOPEN": "it cannot be opened; its folder may be read-only",
    "SQLITE_NOTADB": f"it is not an SQLite database; {_LEFT}",
    "SQLITE_CORRUPT": f"it is corrupt; {_LEFT}",
}


def _connect(path: Path) -> PatientConnection:
    """Open an existing file, never create one.

    Not ``mode=ro``, even to read: what a killed writer left in the journal must be rolled back first, and a
    read-only connection may not do that. SQLite falls back to reading where the file may not be written.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
        factory=PatientConnection,
    )
    connection.path = path
    connection.row_factory = sqlite3.Row
    connection.execute("pragma foreign_keys = on")
    # Every commit is on the disk when it returns: an intent that is not may be a job sent twice. With a
    # write-ahead log that is the same as full; without one it covers the removal of the journal too.
    connection.execute("pragma synchronous = extra")
    return connection


def _migrate(path: Path) -> None:
    """Bring an older database of ours to the present schema."""
    with contextlib.closing(_connect(path)) as connection:
        _check_owner(connection, path)
        version = int(connection.execute("pragma user_version").fetchone()[0])
        if not WAL_IS_SAFE and connection.execute("pragma journal_mode").fetchone()[0] == "wal":
            # Made where a newer SQLite was; refused as busy while another process has it open.
            connection.execute("pragma journal_mode = delete")
    if version < 1:
        # No version of ours has left that behind, so no migration leads away from it.
        raise _unversioned(path)
    if version < SCHEMA_VERSION:
        from wpfsm.state.migrations import migrate

        with _writable(path):
            migrate(path)


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("pragma application_id").fetchone()[0]
    if application != APPLICATION_ID:
        if path.stat().st_size == 0:
            raise _emptied(path)
        raise StoreError(f"{path} is not a wpfsm database", fix="name another file with --db")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    _check_owner(connection, path)
    version = connection.execute("pragma user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer wpfsm (schema {version}, this one knows {SCHEMA_VERSION})",
            fix="pip install --upgrade wpfsm",
        )
    if version < 1:
        raise _unversioned(path)
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {version}, this wpfsm needs {SCHEMA_VERSION}",
            fix="any `wpfsm start` or `wpfsm resume` migrates it",
        )


def _unversioned(path: Path) -> StoreError:
    return StoreError(
        f"{path} says that its schema has version 0, which no wpfsm has ever written: it is damaged, and was left "
        "as it is",
        fix=f"put a copy of the file in its place; {WITHOUT}",
    )


def _emptied(path: Path) -> StoreError:
    return StoreError(
        f"{path} is empty: its contents were lost outside wpfsm",
        fix="`wpfsm gc` finds pools of ours without it; then move the file away and start anew",
    )
