"""Processes that outlive an emulator that was killed, and their end at its next start.

Each process keeps a locked file open that holds the number of its process group. The lock ends with the last
process that inherited it, so a file that is still locked names a group that still runs, and no number that
the system gave to somebody else in between.

The number is written after the process was started. An emulator that is killed between the two leaves a locked file
without a number: then the system is asked who holds the file open.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from wpfsm.adapters.emulator.engine.locks import try_lock
from wpfsm.adapters.emulator.runner.processes import kill_group

PROCESSES = Path("/proc")
_PATIENCE_SECONDS, _LOOK_SECONDS = 5.0, 0.01


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
    """Kill what an earlier emulator left running; return how many of its processes still ran."""
    directory.mkdir(parents=True, exist_ok=True)
    killed = 0
    for path in directory.iterdir():
        with path.open(encoding="ascii") as file:
            if not try_lock(file.fileno()):
                killed += 1
                if group := file.read().strip():
                    kill_group(int(group))
                else:
                    _end_holders(path, file.fileno())
        path.unlink(missing_ok=True)
    return killed


def _end_holders(path: Path, descriptor: int) -> None:
    """Kill whoever holds the file open, until nobody does: one that was just started may be about to start more."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not try_lock(descriptor) and time.monotonic() < deadline:
        for process in _holders(path):
            if process == os.getpid():
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if (
                    os.getpgid(process) == process
                ):  # else it is still in the group of the emulator's own starter
                    kill_group(process)
                os.kill(process, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _holders(path: Path) -> Iterator[int]:
    """Yield the processes of this user that hold a file open."""
    if not (PROCESSES / "self" / "fd").is_dir():  # macOS
        with contextlib.suppress(OSError):
            told = subprocess.run(["lsof", "-t", str(path)], capture_output=True, text=True, check=False)
            yield from map(int, told.stdout.split())
        return
    wanted = path.stat()
    for process in PROCESSES.iterdir():
        if process.name.isdigit() and _holds(process, wanted):
            yield int(process.name)


def _holds(process: Path, wanted: os.stat_result) -> bool:
    with contextlib.suppress(OSError):  # it ended meanwhile, or is somebody else's
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if os.path.samestat(descriptor.stat(), wanted):
                    return True
    return False
