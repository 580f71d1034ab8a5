"""The emulator's time: real, faster than real, or moved by hand."""

from __future__ import annotations

import threading
import time
from typing import Protocol

LATEST = 253_402_300_799.0
"""The end of the year 9999, the last that clients can read."""


class Clock(Protocol):
    """Tells the time that jobs, pools and answers follow, in seconds since the epoch."""

    def now(self) -> float:
        """Return the present; never less than before."""

    def advance(self, seconds: float) -> None:
        """Jump forward.

        Raises:
            ValueError: The time would go backwards or beyond the largest date.
        """

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def real_seconds_until(self, moment: float) -> float | None:
        """Return how long to wait in real seconds; None when only ``advance`` leads there."""

    def from_real(self, epoch: float) -> float:
        """Translate a moment of real time, for instance of a line that a process printed."""


def _check_jump(now: float, seconds: float) -> None:
    if seconds < 0:
        raise ValueError("time does not go back")
    if not now + seconds < LATEST:
        raise ValueError("time ends with the year 9999")


class RealClock:
    """Follows real time, ``scale`` times as fast; ``advance`` adds to it.

    Args:
        scale: Seconds of the emulator's clock in one real second.
        not_before: The earliest moment to begin at, so that a restart does not go back in time.
    """

    def __init__(self, scale: float = 1.0, not_before: float = 0.0) -> None:
        if scale <= 0:
            raise ValueError("the time scale is positive")
        self._scale = scale
        self._real_start = time.time()
        self._start = max(self._real_start, not_before)
        self._monotonic_start = time.monotonic()
        self._lock = threading.Lock()

    def now(self) -> float:
        """See Clock."""
        with self._lock:
            return self._start + (time.monotonic() - self._monotonic_start) * self._scale

    def advance(self, seconds: float) -> None:
        """See Clock."""
        _check_jump(self.now(), seconds)
        with self._lock:
            self._start += seconds

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        time.sleep(seconds / self._scale)

    def real_seconds_until(self, moment: float) -> float:
        """See Clock."""
        return max(0.0, (moment - self.now()) / self._scale)

    def from_real(self, epoch: float) -> float:
        """See Clock."""
        with self._lock:
            return self._start + (epoch - self._real_start) * self._scale


class ManualClock:
    """Stands still until it is advanced.

    Args:
        start: Where it begins, in seconds since the epoch.
    """

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """See Clock."""
        return self._now

    def advance(self, seconds: float) -> None:
        """See Clock."""
        _check_jump(self._now, seconds)
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        self.advance(seconds)

    def real_seconds_until(self, moment: float) -> float | None:
        """See Clock."""
        return 0.0 if moment <= self._now else None

    def from_real(self, epoch: float) -> float:  # noqa: ARG002 - real time has no meaning here
        """See Clock."""
        return self._now
