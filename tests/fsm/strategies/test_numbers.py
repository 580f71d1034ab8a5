"""Whole numbers and cut ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.strategies.numbers import whole_number


def whole(regex: str, line: str) -> str | None:
    """What `whole_number` says of the first match."""
    match = re.search(regex, line)
    assert match is not None
    return whole_number(line, match.start(1), match.end(1), match.start())


@pytest.mark.parametrize(
    ("regex", "line", "number"),
    [
        (r"rmse=([0-9.]+)", "rmse=7.1e-06", "7.1e-06"),
        (r"rmse=([0-9.]+)", "rmse=3E+2 end", "3E+2"),
        (r"rmse=([0-9]+)", "rmse=12.75", "12.75"),
        (r"tokens: (\d+)", "tokens: 2,048,000", "2,048,000"),
        (r"tokens: (\d+)", "tokens: 2,5", "2,5"),
        (r"tokens: [\d,]*?(\d+\.\d+)", "tokens: 12.5e3", "12.5e3"),
        (r"correct: (\d+)", "correct: 412/500", "412/500"),
        (r"gap: ?\D*([0-9.]+)", "gap: -0.75", "-0.75"),
        (r"mae=[0-9.]+([0-9.]+)", "mae=0.9125", "0.9125"),
        (r"mae.*([0-9.]+)", "mae 31.5", "31.5"),
        (r"mae=0?\.?(\d+)", "mae=0.33", "0.33"),
        (r"ppl ([0-9.]+)", "ppl 1.204,5", "1.204,5"),
        (r"ppl ([0-9_]+)", "ppl 1_204.5", "1_204.5"),
        (r"ppl ([0-9.e]+)", "ppl 4.5e-03", "4.5e-03"),
        (r"ppl ([0-9.]+)", "ppl 4.5\u00d710^-3 end", "4.5\u00d710^-3"),
        (r"ppl ([0-9.]+)", "ppl 4.5 x 10**-3", "4.5 x 10**-3"),
        (r"ppl ([0-9.]+)", "ppl 4.5·10⁻³", "4.5·10⁻³"),
        (r"ppl ([0-9.]+)", "ppl 0.45D-03", "0.45D-03"),
        (r"ppl ([0-9.]+)", "ppl 1'204.5", "1'204.5"),
    ],
)
def test_a_part_of_a_number_is_told(regex, line, number):
    """Exponents, decimals, thousands, fractions, signs and digits outside the group."""
    assert whole(regex, line) == number


@pytest.mark.parametrize(
    ("regex", "line"),
    [
        (r"rmse=([0-9.eE+-]+)", "rmse=7.1e-06"),
        (r"rmse=([0-9.]+)", "rmse=0.5, lr=0.1"),
        (r"^\d+,([0-9.]+)", "3,0.4531,0.512"),
        (r"\[([0-9.]+)", "[0.31,0.42]"),
        (r"acc=([0-9.]+)%", "acc=91.5%"),
        (r"step ([0-9]+)", "step 10: 0.5"),
        (r"took ([0-9.]+)", "took 3.5s"),
        (r"rate ([0-9.]+)", "rate 0.5/epoch"),
        (r"fold-([0-9.]+)", "fold-3 done"),
        (r"score_([0-9.]+)", "score_0.5"),
        (r"loss ([0-9.]+) ->", "loss 0.5 -> 0.4"),
        (r"loss ([-0-9.]+)", "loss -0.5."),
        (r"dev ([0-9.]+)", "dev 0.25e"),
        (r"dev ([0-9.]+)", "dev 0.25 x 10 folds"),
        (r"dev ([0-9.]+)", "'dev 0.25' 100"),
    ],
)
def test_a_whole_number_is_left_alone(regex, line):
    """What stands beside a number without belonging to it."""
    assert whole(regex, line) is None


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 30))
def test_a_capture_that_leaves_digits_out_is_always_told(value, length):
    """Whatever Python prints: each proper beginning of it that ends in a digit is a part."""
    printed = repr(value)
    part = printed[:length]
    if part == printed or not part[-1].isdigit():
        return
    line = f"loss={printed} end"

    assert whole_number(line, 5, 5 + len(part)) == printed
