"""Moments as a person reads them: beside each stands how far away it is."""

from __future__ import annotations

import time
from datetime import datetime

from wpfsm.fsm.units import duration


def with_distance(moment: str | None, now: float | None = None) -> str:
    """``2026-11-28T12:04:40+00:00 (in 9 min 40 s)``, or ``(9 min 40 s ago)``.

    Args:
        moment: ISO 8601, as the documents have it; None is unknown.
        now: Epoch seconds; the present by default.
    """
    if not moment:
        return "unknown"
    return f"{moment} ({distance(datetime.fromisoformat(moment).timestamp(), now)})"


def distance(at: float, now: float | None = None) -> str:
    """How far away a moment is: ``in 9 min 40 s``, ``9 min 40 s ago``, ``now``."""
    left = round(at - (time.time() if now is None else now))
    return "now" if left == 0 else f"in {duration(left)}" if left > 0 else f"{duration(-left)} ago"


def age(moment: str, now: float | None = None) -> str:
    """How long ago a moment was, in one unit: a column of them is read at a glance."""
    seconds = max(0.0, (time.time() if now is None else now) - datetime.fromisoformat(moment).timestamp())
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("m", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.0f}s"
