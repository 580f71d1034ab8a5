"""Creates and migrates the schema: one SQL file a version, each in one transaction, one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.resources
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from wpfsm.state.pragmas import APPLICATION_ID, BUSY_SECONDS, WAL_IS_SAFE
from wpfsm.state.private import private

# sqlite-utils imports pandas and numpy where they are installed, which takes seconds and 90 MB that no migration needs.
_HIDDEN = [name for name in ("pandas", "numpy") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_HIDDEN))  # type: ignore[arg-type]
import sqlite_utils  # noqa: E402
from sqlite_utils.migrations import Migrations  # noqa: E402

for _name in _HIDDEN:
    del sys.modules[_name]

MIGRATIONS = Migrations("wpfsm")


def create(path: Path) -> None:
    """Make a database with the newest schema, unless another process was faster.

    It is made beside its place and renamed into it: whoever is killed meanwhile leaves no half of one, and an
    empty file always means that something was lost.
    """
    with _turn(path):
        if path.exists():
            return
        scratch = path.with_name(path.name + ".new")
        scratch.unlink(missing_ok=True)
        os.close(private(str(scratch), os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # SQLite keeps the mode
        _apply(scratch)
        scratch.rename(path)


def migrate(path: Path) -> None:
    """Bring an existing database to the newest schema."""
    with _turn(path):
        _apply(path)


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """One process at a time: of two that migrate at once, one would fail."""
    with open(path.with_name(path.name + ".migrate"), "a", opener=private) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _apply(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)) as connection:
        connection.execute(f"pragma journal_mode = {'wal' if WAL_IS_SAFE else 'delete'}")
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
        MIGRATIONS.apply(sqlite_utils.Database(connection))


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; ``executescript`` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _step(version: int, script: str) -> Callable[[sqlite_utils.Database], None]:
    def run(db: sqlite_utils.Database) -> None:
        for statement in _statements(script):
            db.execute(statement)
        db.execute(f"pragma user_version = {version}")

    return run


for _number, _file in enumerate(
    sorted(
        (file for file in importlib.resources.files("wpfsm.state").joinpath("sql").iterdir()),
        key=lambda file: file.name,
    ),
    start=1,
):
    MIGRATIONS(name=_file.name.removesuffix(".sql"))(_step(_number, _file.read_text(encoding="utf-8")))
