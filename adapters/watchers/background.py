"""Runs a watcher in a thread of its own, so that nothing it does can fail the loop or make it wait.

The controller's calls become messages of a bounded queue. A reader that is too slow loses messages, never
the loop its time; a watcher whose stream is gone is left out, and each kind of trouble is reported once.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from wpfsm.adapters.watchers.base import Watcher
from wpfsm.fsm.ports import JobReading, LogLine
from wpfsm.fsm.records import Job, Loop

TICK_SECONDS = 0.25
MOST_MESSAGES = 10_000

Message = Callable[[], None]


class Background:
    """Implements :class:`wpfsm.fsm.ports.Progress` by passing everything to a watcher's thread.

    Args:
        watcher: What watches.
        on_trouble: Told of the watcher's own errors.
        patience: Seconds that :meth:`close` waits for the last messages to be shown; None waits for all.
    """

    def __init__(
        self,
        watcher: Watcher,
        on_trouble: Callable[[Exception], None] = lambda _: None,
        *,
        patience: float | None = 2.0,
    ) -> None:
        self._watcher = watcher
        self._on_trouble = on_trouble
        self._patience = patience
        self._messages: queue.Queue[Message | None] = queue.Queue(MOST_MESSAGES)
        self._gone = False
        self._reported: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"wpfsm-{type(watcher).__name__}", daemon=True)
        self._thread.start()

    def state(self, loop: Loop, why: str) -> None:
        """A transition was committed."""
        self._put(lambda: self._watcher.state(loop, why))

    def job(self, job: Job, reading: JobReading | None) -> None:
        """A job was read again."""
        self._put(lambda: self._watcher.job(job, reading))

    def log(self, line: LogLine) -> None:
        """A line of the running job's log."""
        self._put(lambda: self._watcher.log(line))

    def metric(self, name: str, value: float) -> None:
        """A live value of the loop's metric."""
        self._put(lambda: self._watcher.metric(name, value))

    def waiting(self, what: str, until: float | None = None) -> None:
        """What the controller waits for."""
        self._put(lambda: self._watcher.waiting(what, until))

    def trouble(self, error: Exception) -> None:
        """Something that should not have happened."""
        self._put(lambda: self._watcher.trouble(error))

    def close(self) -> None:
        """Show what is left, for as long as patience lasts."""
        with contextlib.suppress(queue.Full):
            self._messages.put(None, timeout=self._patience)
        self._thread.join(self._patience)

    def _put(self, message: Message) -> None:
        with contextlib.suppress(queue.Full):
            self._messages.put_nowait(message)

    def _run(self) -> None:
        self._try(self._watcher.open)
        while True:
            try:
                message = self._messages.get(timeout=TICK_SECONDS)
            except queue.Empty:
                self._try(self._watcher.tick)
                continue
            if message is None:
                break
            self._try(message)
            self._try(self._watcher.tick)
        self._try(self._watcher.tick)
        with contextlib.suppress(Exception):
            self._watcher.close()

    def _try(self, message: Message) -> None:
        if self._gone:
            return
        try:
            message()
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop goes on
            # A stream that is gone does not come back; anything else may be one bad frame.
            self._gone = isinstance(error, OSError)
            self._report(error)

    def _report(self, error: Exception) -> None:
        """Once for each kind of trouble: a frame is drawn several times a second."""
        if (name := f"{type(error).__name__}: {error}") not in self._reported:
            self._reported.add(name)
            with contextlib.suppress(Exception):
                self._on_trouble(error)
