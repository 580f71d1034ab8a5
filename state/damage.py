"""Looks for damage inside a database: what is asked when something read from it made no sense.

A damaged cell need not look like one where it is met: a number that is text fails in an addition, a loop file
that lost a letter fails in its validation. So the file is judged as a whole, after the fact.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import Loop
from wpfsm.state import codec
from wpfsm.state.database import explained, open_existing


def damage(path: Path) -> StoreError | None:
    """What is wrong inside the database; None when it is sound, or when there is none.

    Every row is read, so this takes as long as the file is large.
    """
    try:
        with contextlib.closing(open_existing(path)) as connection, explained(path):
            _look(connection)
    except NotFound:
        return None
    except StoreError as error:
        return error
    return None


def _look(connection: sqlite3.Connection) -> None:
    problem = connection.execute("pragma integrity_check(1)").fetchone()[0]
    if problem != "ok":
        raise sqlite3.DataError(str(problem))
    for record, table in codec.TABLES.items():
        for row in connection.execute(f"select * from {table}"):  # noqa: S608 - names of our own tables
            decoded = codec.decode(record, row)
            if isinstance(decoded, Loop):
                _check_loop_file(decoded)


def _check_loop_file(loop: Loop) -> None:
    try:
        LoopFile.model_validate(loop.loop_file)
    except ValueError as error:
        first = str(error).partition("\n")[2].strip().splitlines()[:2]
        raise sqlite3.DataError(f"loop_file of {loop.id} cannot be read: {': '.join(first)}") from error
