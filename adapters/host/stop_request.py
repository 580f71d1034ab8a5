"""What asks a controller to stop: the signals that it gets."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
from collections.abc import Callable, Mapping
from types import FrameType

from wpfsm.adapters.host.signals import SignalThread
from wpfsm.fsm.ports import StopReason

_REASONS: Mapping[int, StopReason] = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "hung up",
}


class StopSignals:
    """SIGINT, SIGTERM and SIGHUP as a request to stop; the second one does not skip the release.

    Implements :class:`wpfsm.fsm.ports.StopRequest`. A handler only takes a note: raising from it could end an
    activity between a call and the row that records it.

    Args:
        on_signal: Told of each signal: the reason to stop, and how many came until now.
    """

    def __init__(self, on_signal: Callable[[StopReason, int], None] = lambda _, __: None) -> None:
        self.event = threading.Event()
        self._reason: StopReason = ""
        self._count = 0
        self._on_signal = on_signal
        self._relay = SignalThread(self._act)

    @property
    def reason(self) -> StopReason:
        """Why to stop; empty while nobody asked."""
        return self._reason

    def install(self) -> None:
        """Take the signals for the rest of the process; one that ``nohup`` has switched off stays off."""
        for number in _REASONS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.handle)

    def close(self) -> None:
        """Tell of no further signal; they still do not end the process."""
        self._relay.close()

    def handle(self, number: int, _: FrameType | None = None) -> None:
        """Take note of a signal; safe between any two instructions of the main thread."""
        if number == signal.SIGHUP:
            _leave_terminal()
        if not self._reason:
            self._reason = _REASONS[number]
        self._relay.send(number)

    def _act(self, _: int) -> None:
        self._count += 1
        self.event.set()
        self._on_signal(self._reason, self._count)


def _leave_terminal() -> None:
    """Write into the void from here on: a terminal that was closed answers each line with an error."""
    with contextlib.suppress(OSError):
        void = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            if stat.S_ISCHR(os.fstat(stream).st_mode):
                os.dup2(void, stream)
        os.close(void)
