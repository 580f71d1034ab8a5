"""How far away a moment is, beside it."""

from __future__ import annotations

import pytest

from wpfsm.adapters.terminal.moments import age, distance, with_distance

AT = 1_764_331_480.0
STAMP = "2025-11-28T12:04:40+00:00"


@pytest.mark.parametrize(
    ("later", "said"),
    [(-580, "in 9 min 40 s"), (0, "now"), (0.4, "now"), (30, "30 s ago"), (7200, "2 h ago")],
)
def test_a_distance_is_said_in_the_way_that_it_lies(later: float, said: str) -> None:
    """Ahead, here, or past."""
    assert distance(AT, AT + later) == said
    assert with_distance(STAMP, AT + later) == f"{STAMP} ({said})"


def test_an_unknown_moment_is_said_to_be_unknown() -> None:
    """And is never now."""
    assert with_distance(None) == "unknown"


@pytest.mark.parametrize(
    ("later", "said"), [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (200_000, "2d")]
)
def test_an_age_has_one_unit(later: float, said: str) -> None:
    """A column of ages is read at a glance."""
    assert age(STAMP, AT + later) == said
