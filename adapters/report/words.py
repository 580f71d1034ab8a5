"""How figures and moments read on the page."""

from __future__ import annotations

from datetime import UTC, datetime

from wpfsm.fsm.units import duration

NONE = "-"
"""What is not known, or does not apply."""


def moment(at: float | None) -> str:
    """A moment in UTC, for people."""
    return NONE if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(value: float | None) -> str:
    """A length of time."""
    return NONE if value is None else duration(value)


def number(value: float | None) -> str:
    """A metric."""
    return NONE if value is None else f"{value:.6g}"
