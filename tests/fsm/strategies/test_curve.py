"""A curve is bounded, keeps its ends, and is the same however its log was read."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from wpfsm.fsm.strategies.curve import MOST_POINTS, Thinned


def thinned(count: int) -> Thinned:
    made = Thinned()
    for number in range(1, count + 1):
        made.add(float(number), 1 / number)
    return made


def test_few_reports_are_all_kept() -> None:
    """Each with its number, its time and its value; what is not finite is a gap."""
    made = Thinned()
    for at, value in ((10.0, 0.5), (11.0, math.nan), (12.0, None)):
        made.add(at, value)
    assert made.points == ((1, 10.0, 0.5), (2, 11.0, None), (3, 12.0, None))
    assert Thinned().points == ()


@pytest.mark.parametrize("count", [1, 2, MOST_POINTS - 1, MOST_POINTS, MOST_POINTS + 1, 12_345])
def test_many_are_thinned_evenly_and_the_newest_stays(count: int) -> None:
    """At most so many, the first and the last among them, at one distance but for the last."""
    made = thinned(count)
    numbers = [number for number, _, _ in made.points]
    assert made.reports == count
    assert len(numbers) <= MOST_POINTS
    assert (numbers[0], numbers[-1]) == (1, count)
    assert {after - before for before, after in pairwise(numbers[:-1])} <= {made.stride}
    assert all(value == 1 / number for number, _, value in made.points)
