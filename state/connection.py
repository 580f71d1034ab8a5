"""A connection that waits for whoever holds the database, and can say who that is.

A shell, a viewer or a backup that reads the file keeps a writer from committing (and, with a rollback journal,
a writer everybody else). Between two commits of a controller there is no call to the service, so waiting is
safe, and better than leaving a pool to bill.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCKS = Path("/proc/locks")
PAUSE_SECONDS = 0.2
"""Between two tries; SQLite itself has waited ``BUSY_SECONDS`` in each."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for another process that holds the database.

    Attributes:
        seconds: At most, beyond SQLite's own waiting.
        tell: Told what is waited for, and for how many seconds at most from now on.
    """

    seconds: float
    tell: Callable[[str, float], None]


class PatientConnection(sqlite3.Connection):
    """A connection whose statements are tried again while another process holds the database.

    A statement that was refused as busy has done nothing, ``commit`` included: the transaction stands, and
    the statement may be repeated.
    """

    path: Path = Path()
    patience: Patience | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement, patiently.

        Raises:
            sqlite3.OperationalError: Also when the database was held for longer than patience lasts.
        """
        deadline: float | None = None
        while True:
            try:
                return super().execute(sql, parameters)
            except sqlite3.OperationalError as error:
                if self.patience is None or not is_busy(error):
                    raise
                now = time.monotonic()
                deadline = now + self.patience.seconds if deadline is None else deadline
                if now >= deadline:
                    raise
                self.patience.tell(f"the database: {held(self.path)}", deadline - now)
                time.sleep(PAUSE_SECONDS)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether SQLite refused because another connection holds a lock."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def held(path: Path | str) -> str:
    """That another process holds the database, and which: ``another process holds it (pid 4711, sqlite3)``.

    Which one is known only where the kernel lists locks (Linux).
    """
    inodes = set()
    for name in (str(path), f"{path}-shm"):
        try:
            inodes.add(str(os.stat(name).st_ino))  # noqa: PTH116 - a name that may not be a path of ours
        except OSError:
            continue
    try:
        rows = [line.split() for line in LOCKS.read_text().splitlines()]
    except OSError:
        rows = []
    pids = {
        int(row[4])
        for row in rows
        if len(row) >= 8 and row[1] == "POSIX" and row[5].rpartition(":")[2] in inodes and row[4].isdigit()
    } - {0, os.getpid()}
    who = "; ".join(f"pid {pid}{_called(pid)}" for pid in sorted(pids))
    return f"another process holds it ({who})" if who else "another process holds it"


def _called(pid: int) -> str:
    try:
        return f", {Path(f'/proc/{pid}/comm').read_text().strip()}"
    except OSError:
        return ""
