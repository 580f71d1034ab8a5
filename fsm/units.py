"""How seconds, moments and dollars read. Figures are rounded here and nowhere else."""

from __future__ import annotations

import re
from datetime import UTC, datetime

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0


def stamp(at: float | None) -> str | None:
    """A moment, in seconds since the epoch, as ISO 8601 in UTC; None stays None."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def usd(amount: float | None, *, estimated: bool | None = False) -> str:
    """Dollars as a person writes them: two decimals, four below a cent; ``~$1.31`` while it is an estimate.

    Args:
        amount: US dollars; None when the amount is unknown, which is said and never printed as 0.
        estimated: The figure may still change.
    """
    if amount is None:
        return "unknown"
    sign, size = ("-", -amount) if amount < 0 else ("", amount)
    decimals = 4 if 0 < size < 0.01 else 2
    return f"{'~' if estimated else ''}{sign}${size:.{decimals}f}"


def duration(seconds: float | None, *, estimated: bool | None = False) -> str:
    """Seconds in the largest units that keep the figure exact enough: ``4.2 s``, ``28 min``, ``1 h 05 min``.

    Args:
        seconds: A length of time; None when it is unknown, which is said.
        estimated: The figure may still change: ``~45 s``.
    """
    if seconds is None:
        return "unknown"
    sign, size = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{'~' if estimated else ''}{sign}{_span(size)}"


def _span(size: float) -> str:
    whole = round(size)
    if size < 10 and round(size, 1) != whole:
        return f"{size:.1f} s"
    if whole < 2 * MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min" + (f" {rest:02d} s" if rest else "")
    minutes = round(size / MINUTE)
    if minutes < 2 * DAY / MINUTE:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h" + (f" {rest:02d} min" if rest else "")
    days, rest = divmod(round(size / HOUR), 24)
    return f"{days} days" + (f" {rest} h" if rest else "")


def times(count: float, price_per_hour: float, seconds: float) -> str:
    """The arithmetic of a bill, written out: ``2 x 55 min x $2.80/h``."""
    span = f"{duration(seconds)} x {usd(price_per_hour)}/h"
    return span if count == 1 else f"{count:g} x {span}"


_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")


_UNIT = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


DURATION_PATTERN = r"^\s*(\d+(\.\d+)?\s*[smhd]\s*)+$"


def parse_duration(value: object) -> float:
    """Seconds of ``value``.

    Raises:
        ValueError: It is not written as number and unit.
    """
    if isinstance(value, str) and re.match(DURATION_PATTERN, value):
        return sum(float(number) * _UNIT[unit] for number, unit in _PART.findall(value))
    if value == 0 and not isinstance(value, bool):
        return 0.0
    raise ValueError(f"{value!r} is not a duration; write 90s, 10m or 1h")


def short_duration(seconds: float) -> str:
    """The shortest exact spelling of a duration."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
