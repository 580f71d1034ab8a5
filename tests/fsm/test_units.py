"""How seconds and dollars read."""

from __future__ import annotations

import pytest

from wpfsm.fsm.units import duration, times, usd


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        (0.0, "$0.00"),
        (1.30667, "$1.31"),
        (-0.42, "-$0.42"),
        (0.0012, "$0.0012"),
        (1234.5, "$1234.50"),
    ],
)
def test_usd(amount: float | None, text: str) -> None:
    """Dollars round to cents, small sums stay visible, and unknown is never 0."""
    assert usd(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0.0, "0 s"),
        (45.4, "45 s"),
        (90.0, "90 s"),
        (1680.0, "28 min"),
        (1690.0, "28 min 10 s"),
        (3599.9, "1 h"),
        (3900.0, "1 h 05 min"),
        (28 * 86400.0, "28 days"),
        (2.5 * 86400.0, "2 days 12 h"),
        (-60.0, "-60 s"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    """A length of time reads in the units that a person would use."""
    assert duration(seconds) == text


def test_times() -> None:
    """The arithmetic of a bill names the instances only where there are several."""
    assert times(1, 2.8, 3300.0) == "55 min x $2.80/h"
    assert times(2, 2.8, 3300.0) == "2 x 55 min x $2.80/h"
