"""Real time, and the signals that end a pause early."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType

from wpfsm.adapters.host.signals import Relay
from wpfsm.fsm.ports import StopReason

_REASONS: Mapping[int, StopReason] = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "hung up",
}


class Signals:
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
        self._relay = Relay(self._act)

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


class WallClock:
    """Implements :class:`wpfsm.fsm.ports.Clock`. A pause ends early once, when a signal arrives.

    The time of day is read once. From there on it runs with a clock that nobody sets, so that a jump of the
    machine's clock neither cuts a grace period short nor makes it endless.
    """

    def __init__(self, signals: Signals | None = None) -> None:
        self._event = signals.event if signals else threading.Event()
        self._woken = False
        self._offset = time.time() - _since_boot()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._offset + _since_boot()

    def pause(self, seconds: float) -> None:
        """Wait; the first signal wakes it, and after that pauses last as long as they should."""
        if self._woken:
            time.sleep(seconds)
        else:
            self._woken = self._event.wait(seconds)


def _since_boot() -> float:
    """Seconds since the machine was started, the time that it was suspended included."""
    return time.clock_gettime(_BOOT_CLOCK)


_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux CLOCK_MONOTONIC stops while the machine is suspended; elsewhere it does not."""
