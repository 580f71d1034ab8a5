"""How seconds, moments and dollars read. Figures are rounded here and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0


def stamp(at: float | None) -> str | None:
    """A moment, in seconds since the epoch, as ISO 8601 in UTC; None stays None."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def usd(amount: float | None) -> str:
    """Dollars as a person writes them: two decimals, four below a cent, ``unknown`` for None.

    Args:
        amount: US dollars; None when the amount is unknown, which is never printed as 0.
    """
    if amount is None:
        return "unknown"
    sign, size = ("-", -amount) if amount < 0 else ("", amount)
    decimals = 4 if 0 < size < 0.01 else 2
    return f"{sign}${size:.{decimals}f}"


def duration(seconds: float | None) -> str:
    """Seconds in the largest units that keep the figure exact enough: ``45 s``, ``28 min``, ``1 h 05 min``.

    Args:
        seconds: a length of time; None when it is unknown.
    """
    if seconds is None:
        return "unknown"
    sign, size = ("-", -seconds) if seconds < 0 else ("", seconds)
    whole = round(size)
    if whole < 2 * MINUTE:
        return f"{sign}{whole} s"
    if whole < HOUR:
        minutes, rest = divmod(whole, 60)
        return f"{sign}{minutes} min" + (f" {rest:02d} s" if rest else "")
    minutes = round(size / MINUTE)
    if minutes < 2 * DAY / MINUTE:
        hours, rest = divmod(minutes, 60)
        return f"{sign}{hours} h" + (f" {rest:02d} min" if rest else "")
    days, rest = divmod(round(size / HOUR), 24)
    return f"{sign}{days} days" + (f" {rest} h" if rest else "")


def times(count: float, price_per_hour: float, seconds: float) -> str:
    """The arithmetic of a bill, written out: ``2 x 55 min x $2.80/h``."""
    span = f"{duration(seconds)} x {usd(price_per_hour)}/h"
    return span if count == 1 else f"{count:g} x {span}"
