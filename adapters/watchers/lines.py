"""One plain line per change, for logs and pipes."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import TextIO

from wpfsm.adapters.terminal.commands import in_text
from wpfsm.adapters.terminal.moments import distance
from wpfsm.adapters.terminal.visible import visible
from wpfsm.adapters.watchers.base import Watcher, own_stream
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import Job, Loop
from wpfsm.fsm.units import duration

REMIND_SECONDS = 60.0
"""Between two lines about the same wait, when it is bounded: an outage, a release."""
REMIND_OPEN_SECONDS = 600.0
"""Likewise, for a wait that may last: a job that trains."""
_INDENT = " " * 12
"""Under the state's column: what happens inside a state."""


class LineWatcher(Watcher):
    """Writes a line when something changes, and nothing while it does not.

    Args:
        stream: Where to; standard error by default.
        debug: Show tracebacks.
        clock: Epoch seconds, for the time at the start of each line.
    """

    def __init__(
        self, stream: TextIO | None = None, *, debug: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self._stream = stream or own_stream(sys.stderr)
        self._owned = stream is None and self._stream is not sys.stderr
        self._debug = debug
        self._clock = clock
        self._last: dict[str, str] = {}
        self._awaited = ""
        self._waits_since = self._waited_at = 0.0

    def state(self, loop: Loop, why: str) -> None:
        """State and reason; a reason of several lines keeps them under each other."""
        first, *rest = why.splitlines() or [""]
        self._say(f"{loop.state:<10}  {first}")
        for line in rest:
            self._say(f"{_INDENT}{line}")

    def job(self, job: Job, reading: JobReading | None) -> None:  # noqa: ARG002 - the port's signature
        """Status of the job, when it has changed."""
        status = f"{job.status} {job.secondary_status}" if job.secondary_status != job.status else job.status
        pool = f", pool {job.pool_status}" if job.pool_status else ""
        self._changed("job", f"{job.name}: {status}{pool}")

    def metric(self, name: str, value: float) -> None:
        """The metric, when it moves."""
        self._changed("metric", f"{name} = {value:.6g}")

    def waiting(self, what: str, until: float | None = None) -> None:
        """A wait: once, and again every so often while it lasts."""
        now = self._clock()
        if what != self._awaited:
            self._awaited, self._waits_since = what, now
        elif now - self._waited_at < (REMIND_SECONDS if until else REMIND_OPEN_SECONDS):
            return
        self._waited_at = now
        so_far = f", for {duration(round(now - self._waits_since))} now" if now > self._waits_since else ""
        limit = f", at most until {_clock(until)} ({distance(until, now)})" if until else ""
        self._say(f"{_INDENT}waiting: {what}{so_far}{limit}")

    def trouble(self, error: Exception) -> None:
        """The error; its traceback with ``--debug``."""
        self._say(f"{_INDENT}{type(error).__name__}: {error}")
        if self._debug:
            traceback.print_exception(error, file=self._stream)

    def close(self) -> None:
        """Close the stream that was opened here."""
        if self._owned:
            self._stream.close()

    def _changed(self, kind: str, line: str) -> None:
        if self._last.get(kind) != line:
            self._last[kind] = line
            self._say(_INDENT + line)

    def _say(self, text: str) -> None:
        print(visible(in_text(f"{_clock(self._clock())}  {text}")), file=self._stream, flush=True)


def _clock(at: float) -> str:
    """The time of day where the reader is."""
    return time.strftime("%H:%M:%S", time.localtime(at))
