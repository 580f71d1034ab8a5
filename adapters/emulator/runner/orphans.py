"""Processes that outlive an emulator that was killed, and their end at its next start.

Each process keeps a locked file open that holds the number of its process group. The lock ends with the last
process that inherited it, so a file that is still locked names a group that still runs, and no number that
the system gave to somebody else in between.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path

from wpfsm.adapters.emulator.runner.processes import kill_group


class Marker:
    """A file that is locked for as long as a process lives."""

    def __init__(self, directory: Path) -> None:
        """Create and lock the file, before the process starts."""
        self._path = directory / uuid.uuid4().hex
        self.descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def started(self, group: int) -> None:
        """Record the process group; from now on the process alone holds the lock."""
        os.write(self.descriptor, str(group).encode())
        os.close(self.descriptor)

    def remove(self) -> None:
        """Forget the process, which has ended."""
        self._path.unlink(missing_ok=True)


def end_orphans(directory: Path) -> int:
    """Kill the process groups that an earlier emulator left; return how many."""
    directory.mkdir(parents=True, exist_ok=True)
    killed = 0
    for path in directory.iterdir():
        with path.open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if group := file.read().strip():
                    kill_group(int(group))
                    killed += 1
        path.unlink(missing_ok=True)
    return killed
