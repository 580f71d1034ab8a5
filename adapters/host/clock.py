"""Real time, and the signals that end a pause early."""

from __future__ import annotations

import threading
import time

from wpfsm.adapters.host.stop_request import StopSignals


class WallClock:
    """Implements :class:`wpfsm.fsm.ports.Clock`. A pause ends early once, when a signal arrives.

    The time of day is read once. From there on it runs with a clock that nobody sets, so that a jump of the
    machine's clock neither cuts a grace period short nor makes it endless.

    Args:
        signals: What ends a pause early.
        not_before: The newest time that is known to have been, in epoch seconds: a clock that was set back
            between two controllers of a loop must not lift the limits on its time.
    """

    def __init__(self, signals: StopSignals | None = None, *, not_before: float = 0.0) -> None:
        self._event = signals.event if signals else threading.Event()
        self._woken = False
        self._offset = max(time.time(), not_before) - _since_boot()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._offset + _since_boot()

    def pause(self, seconds: float) -> None:
        """Wait; the first signal wakes it, and after that pauses last as long as they should."""
        if self._woken:
            time.sleep(seconds)
        else:
            self._woken = self._event.wait(seconds)

    def sleep(self, seconds: float) -> None:
        """The same: this clock never ends a turn."""
        self.pause(seconds)


def _since_boot() -> float:
    """Seconds since the machine was started, the time that it was suspended included."""
    return time.clock_gettime(_BOOT_CLOCK)


_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux CLOCK_MONOTONIC stops while the machine is suspended; elsewhere it does not."""
