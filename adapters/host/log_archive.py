"""The local copy of each job's log: one text file a job."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from wpfsm.fsm.ports import LogLine
from wpfsm.state.private import private, private_folder

MOST_BYTES = 32 << 20
"""Bytes of a log's end that are read at once; a log may be larger than the memory, or than anybody waits for."""


class FileArchive:
    """Implements :class:`wpfsm.fsm.ports.LogArchive`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, job_name: str, lines: Sequence[LogLine]) -> None:
        """Add lines, each with the name of its host when there is more than one."""
        private_folder(self._folder)
        with open(self.path(job_name), "a", encoding="utf-8", opener=private) as file:
            file.writelines(f"{line.text}\n" for line in lines)

    def restart(self, job_name: str) -> None:
        """Forget what was kept."""
        Path(self.path(job_name)).unlink(missing_ok=True)

    def remove(self, job_name: str) -> None:
        """Forget the log for good: its loop is forgotten."""
        Path(self.path(job_name)).unlink(missing_ok=True)

    def save(self, job_name: str) -> None:
        """Nothing to do: each line is in the file already."""

    def tail(self, job_name: str, count: int) -> Sequence[str]:
        """The last lines, of the last 32 MiB; empty when the job has no log."""
        try:
            with Path(self.path(job_name)).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - MOST_BYTES))
                if size > MOST_BYTES:
                    file.readline()  # what is left of a line that began before
                return [line.decode("utf-8", "replace").rstrip("\r\n") for line in deque(file, maxlen=count)]
        except FileNotFoundError:
            return []

    def path(self, job_name: str) -> str:
        """Where the copy is."""
        if not re.fullmatch(r"[A-Za-z0-9-]+", job_name):
            raise ValueError(f"{job_name!r} is not a job name")
        return str(self._folder / f"{job_name}.log")
