"""Opens the one SQLite file: creating it, reading it, and saying clearly why it cannot be used."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.state.pragmas import APPLICATION_ID, BUSY_SECONDS, WAL_IS_SAFE

SCHEMA_VERSION = 2
"""``user_version`` of the newest migration; equals the number of files in ``sql/``."""


def default_path() -> Path:
    """``$WPFSM_DB``, else ``wpfsm.db`` in the user's state directory."""
    if given := os.environ.get("WPFSM_DB"):
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_state_dir("wpfsm")) / "wpfsm.db"


def siblings(database: Path, kind: str) -> Path:
    """The folder beside the database for ``kind``: locks, sources, logs or the emulator's state."""
    return database.with_name(database.name + ".d") / kind


def open_existing(path: Path, *, write: bool = False) -> sqlite3.Connection:
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


def create_or_open(path: Path) -> sqlite3.Connection:
    """Open the database for writing, creating or migrating it first.

    Raises:
        StoreError: As for :func:`open_existing`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size == 0:
            raise _emptied(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", fix="name another place with --db") from error
    with explained(path):
        if not path.exists():
            from wpfsm.state.migrations import create

            create(path)
    return open_existing(path, write=True)


@contextlib.contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn SQLite's errors into ours: what happened to the file, and what to do without it.

    Raises:
        StoreError: For every ``sqlite3.Error``.
    """
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        # SQLite has no name for bytes that are no text, nor for what a column should hold.
        damaged = not name and isinstance(error, sqlite3.OperationalError | sqlite3.DataError)
        other = f"it is damaged; {_LEFT}" if damaged else str(error)
        text = next((words for code, words in _MEANING.items() if name.startswith(code)), other)
        kept = "" if text.endswith(_LEFT) else "nothing committed was lost; "
        raise StoreError(
            f"database {path}: {text} ({name or type(error).__name__}: {error})",
            fix=f"{kept}without the database, `wpfsm gc --apply` finds and releases "
            "the pools of every loop by their jobs' tags, and `wpfsm release --job NAME` one of them",
        ) from error


_LEFT = "the file was left as it is"
_MEANING = {
    "SQLITE_BUSY": "another process holds it; try again",
    "SQLITE_LOCKED": "another process holds it; try again",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk reported an error, or a file size limit was reached",
    "SQLITE_READONLY": "it is read-only",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_NOTADB": f"it is not an SQLite database; {_LEFT}",
    "SQLITE_CORRUPT": f"it is corrupt; {_LEFT}",
}


def _connect(path: Path) -> sqlite3.Connection:
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
    )
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
    if version < SCHEMA_VERSION:
        from wpfsm.state.migrations import migrate

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
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {version}, this wpfsm needs {SCHEMA_VERSION}",
            fix="any `wpfsm start` or `wpfsm resume` migrates it",
        )


def _emptied(path: Path) -> StoreError:
    return StoreError(
        f"{path} is empty: its contents were lost outside wpfsm",
        fix="`wpfsm gc` finds pools of ours without it; then move the file away and start anew",
    )
