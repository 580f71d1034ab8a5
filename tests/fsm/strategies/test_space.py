"""Search spaces: what they contain and how they are drawn from."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from wpfsm.fsm.strategies.space import Choice, Range, Space

positions = st.floats(0, 1, exclude_max=True)


@st.composite
def ranges(draw):
    integral = draw(st.booleans())
    log = draw(st.booleans())
    numbers = st.integers(1, 10_000) if integral else st.floats(1e-8, 1e4, allow_subnormal=False)
    low, high = sorted((draw(numbers), draw(numbers)))
    assume(high > low * 1.001)
    step = None
    if not log and draw(st.booleans()):
        step = (
            draw(st.integers(1, high - low)) if integral else draw(st.floats((high - low) / 50, high - low))
        )
    return Range(min=low, max=high, scale="log" if log else "linear", step=step)


@given(ranges(), positions)
def test_a_drawn_value_lies_in_its_range(dimension, position):
    """Bounds are included and never passed, and integers stay integers."""
    value = dimension.at(position)

    assert dimension.min <= value <= dimension.max
    assert isinstance(value, int) == dimension.integral


@given(ranges(), positions)
def test_a_drawn_value_is_found_again(dimension, position):
    """Tidying a value changes nothing, and a step is found by its value, so a row stands for what was asked."""
    value = dimension.at(position)

    if dimension.step is None:
        assert dimension.tidy(value) == value
    else:
        assert dimension.nth(dimension.index(value)) == value


@pytest.mark.parametrize("value", [0.15, -0.1, 0.6])
def test_what_is_no_step_is_not_found(value):
    """A value between the steps, or outside the range, has no index."""
    with pytest.raises(ValueError, match="no value of the range"):
        Range(min=0.0, max=0.5, step=0.1).index(value)


@given(ranges(), st.lists(positions, max_size=30))
def test_a_stepped_range_holds_only_its_steps(dimension, drawn):
    """A range with a stride lists exactly the values that it draws from."""
    size = dimension.size()
    assume(size is not None and size <= 500)

    values = list(dimension.all())

    assert len(values) == size
    assert len(set(values)) == size
    if dimension.scale == "linear":
        assert {dimension.at(position) for position in drawn} <= set(values)
        assert {dimension.at(n / size + 1e-9) for n in range(size)} == set(values)


def test_steps_are_what_one_would_write():
    """A step of 0.1 gives 0.3, not 0.30000000000000004."""
    assert list(Range(min=0.0, max=0.5, step=0.1).all()) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_continuous_values_have_six_digits():
    """A proposed learning rate can be typed back."""
    value = Range(min=1e-5, max=1e-1, scale="log").at(0.123456789)

    assert value == float(f"{value:.6g}")


def test_a_log_range_draws_each_magnitude_alike():
    """A quarter of the way through four decades is one decade."""
    dimension = Range(min=1e-5, max=1e-1, scale="log")

    assert [dimension.at(n / 4) for n in range(4)] == [1e-5, 1e-4, 1e-3, 1e-2]


def test_whole_bounds_make_an_integer_range():
    """`{min: 1, max: 3}` means integers; `type: float` or a decimal point means floats."""
    assert Range(min=1, max=3).integral
    assert not Range(min=1.0, max=3).integral
    assert not Range(min=1, max=3, type="float").integral
    assert Range(min=1.0, max=3.0, type="int").integral


values = st.lists(
    st.integers(0, 50) | st.text("abc", min_size=1, max_size=3), min_size=1, max_size=4, unique=True
)
spaces = st.dictionaries(st.sampled_from("abcd"), values, min_size=1, max_size=3).map(Space.of)


@given(spaces)
def test_points_are_the_product_in_order(space):
    """A finite space lists each combination once, the first parameter slowest."""
    points = [tuple(point.items()) for point in space.points()]

    expected = itertools.product(
        *([(name, value) for value in each.values] for name, each in space.dimensions.items())
    )

    assert points == list(expected)
    assert len(points) == space.size()


@given(spaces, st.integers(0, 2**32 - 1))
def test_draws_of_a_finite_space_are_a_permutation(space, seed):
    """Random order, every point once, and the same order for the same seed."""
    drawn = list(space.draws(seed))

    assert sorted(map(repr, drawn)) == sorted(map(repr, space.points()))
    assert drawn == list(space.draws(seed))


def test_draws_from_a_continuous_space_do_not_repeat():
    """A long random search has no trial twice, and its beginning does not depend on its length."""
    space = Space.of({"lr": Range(min=1e-5, max=1e-1, scale="log"), "batch": [4, 8]})

    drawn = list(itertools.islice(space.draws(1), 500))

    assert space.size() is None
    assert len({tuple(point.values()) for point in drawn}) == 500
    assert list(itertools.islice(space.draws(1), 5)) == drawn[:5]
    assert list(itertools.islice(space.draws(2), 5)) != drawn[:5]


def test_draws_end_when_a_range_is_narrower_than_its_digits():
    """A log range within six digits has two values; drawing from it ends."""
    drawn = list(Space.of({"x": Range(min=1.0, max=1.0000001, scale="log")}).draws(0))

    assert {point["x"] for point in drawn} <= {1.0, 1.0000001}
    assert len(drawn) <= 2


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"min": 2, "max": 1}, "min must be below max"),
        ({"min": 1, "max": 1}, "min must be below max"),
        ({"min": 0, "max": 1, "scale": "log"}, "log scale needs min above 0"),
        ({"min": 1, "max": 9, "scale": "log", "step": 2}, "linear scale only"),
        ({"min": 1, "max": 9, "step": 0}, "step must be above 0"),
        ({"min": 1, "max": 9, "step": 20}, "fit between"),
        ({"min": 0.5, "max": 9, "type": "int"}, "whole numbers"),
        ({"min": 1, "max": math.inf}, "finite"),
        ({"min": True, "max": 3}, "valid"),
        ({"min": 1, "max": 3, "skale": "log"}, "skale"),
    ],
)
def test_an_impossible_range_is_refused(given_, message):
    """Each impossible range says what is wrong with it."""
    with pytest.raises(ValidationError, match=message):
        Range(**given_)


@pytest.mark.parametrize("values", [[], [1, 2, 1], ["a", "a"], [1, 1.0], [math.nan]])
def test_an_impossible_list_of_values_is_refused(values):
    """No values, a value twice and a value that is no number are mistakes in the file."""
    with pytest.raises(ValidationError):
        Choice(values=values)


@given(
    st.lists(
        st.none() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
        max_size=1,
    )
)
def test_values_keep_their_type(values):
    """`"1.10"` stays a string and 1.0 stays a float: a hyperparameter is never converted."""
    [kept] = Choice(values=values).values

    assert (type(kept), kept) == (type(values[0]), values[0])
