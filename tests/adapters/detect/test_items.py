"""From text to items: numbers, names and marks, and the shape that they make."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.items import items_of, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        (".5", 0.5),
        ("90%", 0.9),
        ("2k", 2000),
        ("1,000", 1000),
        ("10^-3", 1e-3),
        ("3x10^-5", 3e-5),
    ],
)
def test_a_number_is_what_its_writer_means(text: str, value: float) -> None:
    """Exponents, percentages, thousands and powers of ten."""
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("lr 1e-4, 5e-5", "PN,N"),
        ("accuracy", "M"),
        ("ml.g5.xlarge", "I"),
        ("train.py", "F"),
        ("torch", "L"),
        ("2.1.0", "X"),
    ],
)
def test_the_shape_has_a_letter_an_item(text: str, shape: str) -> None:
    """A rule is an expression over it, and a match leads back to the items."""
    assert "".join(item.tag for item in items_of(text)) == shape


def test_an_item_knows_where_it_was_written() -> None:
    """What is quoted to the user are the user's own words."""
    text = "please TRY LR 1e-4"
    for item in items_of(text):
        assert text[item.start : item.start + len(item.raw)] == item.raw


def test_a_number_that_nobody_can_mean_is_a_word() -> None:
    """An overflow is no value of a hyperparameter, and no error either."""
    (item,) = items_of("1e999")
    assert item.tag == "w"
