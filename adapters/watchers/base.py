"""The watcher that does nothing, and what a watcher in a thread of its own can do besides."""

from __future__ import annotations

import io
import os
from typing import TextIO

from wpfsm.fsm.ports import JobReading, LogLine
from wpfsm.fsm.records import Job, Loop


class NullProgress:
    """Watches nothing. Implements :class:`wpfsm.fsm.ports.Progress`; the others replace what they show."""

    def state(self, loop: Loop, why: str) -> None:
        """A transition was committed."""

    def job(self, job: Job, reading: JobReading | None) -> None:
        """A job was read again."""

    def log(self, line: LogLine) -> None:
        """A line of the running job's log."""

    def metric(self, name: str, value: float) -> None:
        """A live value of the loop's metric."""

    def waiting(self, what: str, until: float | None = None) -> None:
        """What the controller waits for."""

    def trouble(self, error: Exception) -> None:
        """Something that should not have happened."""


class Watcher(NullProgress):
    """A watcher that lives in a thread of its own: it is opened, ticked and closed there."""

    def open(self) -> None:
        """Begin, in the thread."""

    def tick(self) -> None:
        """Called after each message, and at least every ``background.TICK_SECONDS``."""

    def close(self) -> None:
        """End, after the last message."""


def own_stream(stream: TextIO) -> TextIO:
    """A stream of our own on the same file.

    A thread that is blocked in a write (a pipe that nobody reads, a stopped terminal) holds the stream's
    lock; were it the process's own, the interpreter could not end.
    """
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, io.UnsupportedOperation):
        return stream
    return open(descriptor, "w", encoding=stream.encoding or "utf-8", errors="replace", buffering=1)  # noqa: PTH123 - closed by its watcher
