"""Durations as people write them: ``90s``, ``10m``, ``1h``, ``1h30m``."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_UNIT = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PATTERN = r"^\s*(\d+(\.\d+)?\s*[smhd]\s*)+$"


def parse(value: object) -> float:
    """Seconds of ``value``.

    Raises:
        ValueError: It is not written as number and unit.
    """
    if isinstance(value, str) and re.match(PATTERN, value):
        return sum(float(number) * _UNIT[unit] for number, unit in _PART.findall(value))
    if value == 0 and not isinstance(value, bool):
        return 0.0
    raise ValueError(f"{value!r} is not a duration; write 90s, 10m or 1h")


def text(seconds: float) -> str:
    """The shortest exact spelling of a duration."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"
