"""The interval that separates a difference from noise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.strategies.comparison import interval

groups = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=8)


def test_a_worked_example():
    """Means 11 and 15, variances 2.5 and 10 of five values each: 5.88 degrees of freedom, taken as 5."""
    low, high = interval([9, 10, 11, 12, 13], [11, 13, 15, 17, 19])

    assert (low, high) == pytest.approx((-4 - 2.571 * 2.5**0.5, -4 + 2.571 * 2.5**0.5))


@given(groups, groups)
def test_exchanging_the_groups_mirrors_the_interval(one, other):
    """It does not matter which group is called the baseline."""
    forth, back = interval(one, other), interval(other, one)

    assert (forth is None) == (back is None)
    if forth is not None:
        assert forth == pytest.approx((-back[1], -back[0]), nan_ok=True)


@pytest.mark.parametrize(
    ("one", "other"), [([], []), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([1.0, 1.0], [2.0, 2.0])]
)
def test_too_little_is_known(one, other):
    """One run of either, or repeats that do not vary, say nothing about noise."""
    assert interval(one, other) is None


@pytest.mark.parametrize(("sizes", "spreads"), [((2, 2), (1, 1)), ((3, 5), (1, 4)), ((20, 40), (2, 1))])
def test_the_interval_covers_the_truth(sizes, spreads):
    """In at least 94 of 100 experiments the true difference lies inside, for equal and unequal spreads."""
    source = random.Random(5)
    hits = 0
    for _ in range(3000):
        one = [source.gauss(1.0, spreads[0]) for _ in range(sizes[0])]
        other = [source.gauss(0.0, spreads[1]) for _ in range(sizes[1])]
        low, high = interval(one, other)
        hits += low <= 1.0 <= high

    assert hits / 3000 > 0.94


def test_the_interval_is_not_vacuous():
    """With twenty runs each, a difference of two standard deviations is always seen."""
    source = random.Random(6)
    for _ in range(200):
        low, _ = interval([source.gauss(2, 1) for _ in range(20)], [source.gauss(0, 1) for _ in range(20)])
        assert low > 0
