"""Which watchers a verb gets: by the form of its output, and by what its streams are connected to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.watchers.background import Background
from wpfsm.adapters.watchers.base import NullProgress, Watcher
from wpfsm.adapters.watchers.jsonl import Events
from wpfsm.adapters.watchers.lines import LineWatcher
from wpfsm.fsm.ports import History, JobReading, LogLine, Progress
from wpfsm.fsm.records import Job, Loop


class Closing(Progress, Protocol):
    """A watcher to be closed."""

    def close(self) -> None:
        """Show what is left."""
        ...


class Watchers:
    """Several watchers as one. A context manager that closes them.

    Args:
        watchers: Told in this order.
        record: The loop's log, told first and of the others' troubles; it is closed by its owner.
    """

    def __init__(self, watchers: Sequence[Closing], record: Progress) -> None:
        self._watchers = watchers
        self._all: Sequence[Progress] = (record, *watchers)

    def __enter__(self) -> Self:
        """Nothing to open: they run already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def state(self, loop: Loop, why: str) -> None:
        """A transition was committed."""
        for watcher in self._all:
            watcher.state(loop, why)

    def job(self, job: Job, reading: JobReading | None) -> None:
        """A job was read again."""
        for watcher in self._all:
            watcher.job(job, reading)

    def log(self, line: LogLine) -> None:
        """A line of the running job's log."""
        for watcher in self._all:
            watcher.log(line)

    def metric(self, name: str, value: float) -> None:
        """A live value of the loop's metric."""
        for watcher in self._all:
            watcher.metric(name, value)

    def waiting(self, what: str, until: float | None = None) -> None:
        """What the controller waits for."""
        for watcher in self._all:
            watcher.waiting(what, until)

    def trouble(self, error: Exception) -> None:
        """Something that should not have happened."""
        for watcher in self._all:
            watcher.trouble(error)

    def close(self) -> None:
        """Close each of them, whatever becomes of the others."""
        with contextlib.ExitStack() as stack:
            for watcher in self._watchers:
                stack.callback(watcher.close)


def progress_for(given: Options, loop: Loop, history: History, record: Progress | None = None) -> Watchers:
    """The watchers of one ``start`` or ``resume``.

    On stderr the live view when it is a terminal, else plain lines; on stdout the events with ``-o jsonl``:
    all of them for a new loop, and for a resumed one those that are still to come.

    Args:
        given: The verb's options.
        loop: The loop, before it is taken over.
        history: For the newest event there is.
        record: The loop's log.
    """
    log = record or NullProgress()
    watchers: list[Background] = [Background(_on_stderr(given, loop), log.trouble)]
    if given.output == "jsonl" and not given.shared:
        events = Events(given.database, loop.id, _seen(loop, history))
        # Data is not given up: whoever asked for it reads it to the end, or closes the pipe.
        watchers.append(Background(events, log.trouble, patience=None))
    return Watchers(watchers, log)


def _on_stderr(given: Options, loop: Loop) -> Watcher:
    if (
        given.debug
        or given.shared
        or not sys.stderr.isatty()
        or os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    ):
        return LineWatcher(debug=given.debug)
    from wpfsm.adapters.watchers.live import Live

    return Live(given.database, loop.id)


def _seen(loop: Loop, history: History) -> int:
    """The ``seq`` of the last event that is not to be shown again."""
    never_driven = loop.epoch == 0
    return 0 if never_driven else max((event.seq for event in history.events(loop.id)), default=0)
