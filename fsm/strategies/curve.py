"""The reports of one metric with their times, thinned out as they become many."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MOST_POINTS = 400
"""Points that are kept of one curve: more than a chart has room for, and a row of some 15 kB."""


@dataclass
class Thinned:
    """Every n-th report, with n doubled whenever there are too many; and the newest one.

    What is kept depends on the reports alone, not on when they were read: a log that is read again gives the same.
    """

    reports: int = 0
    """How many there were."""
    stride: int = 1
    _kept: list[tuple[int, float, float | None]] = field(default_factory=list)
    _newest: tuple[int, float, float | None] | None = None

    def add(self, at: float, value: float | None) -> None:
        """Take in a report; one that is not finite is kept as a gap."""
        self.reports += 1
        self._newest = (self.reports, at, value if value is not None and math.isfinite(value) else None)
        if (self.reports - 1) % self.stride:
            return
        self._kept.append(self._newest)
        if len(self._kept) >= MOST_POINTS:
            self.stride *= 2
            self._kept = [point for point in self._kept if not (point[0] - 1) % self.stride]

    @property
    def points(self) -> tuple[tuple[int, float, float | None], ...]:
        """Number from 1, time and value of the reports that are kept."""
        kept = self._kept
        ends = self._newest is None or (kept and kept[-1] == self._newest)
        return (*kept,) if ends or self._newest is None else (*kept, self._newest)
