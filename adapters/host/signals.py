"""Handles signals on a thread of its own (self-pipe), so that a handler never blocks."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

_END = 0


class SignalThread:
    """Acts on signals in a thread of its own; a handler only sends.

    Python runs a handler between any two instructions of the main thread, which may hold the very lock that
    the handler's work needs: an ``Event`` set while the main thread begins to wait for it blocks for ever,
    and so does a thread started while the main thread starts one; a print within a print raises. Nothing of
    that can happen to a write into a pipe.

    Args:
        act: What to do about a signal, given its number; called in the relay's thread, once a signal.
    """

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act = act
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
        self._thread.start()

    def send(self, number: int) -> None:
        """Pass a signal on; may be called from a handler."""
        with contextlib.suppress(BlockingIOError):  # thousands wait to be acted on; this one adds nothing
            os.write(self._write, bytes((number,)))

    def close(self) -> None:
        """Act on what was sent until now, and end the thread; what is sent later has no effect."""
        os.set_blocking(self._write, True)  # the last word must not be dropped where thousands fill the pipe
        os.write(self._write, bytes((_END,)))
        self._thread.join()

    def _run(self) -> None:
        while (number := os.read(self._read, 1)[0]) != _END:
            self._act(number)
