"""Reading metrics from logs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wpfsm.fsm.loopfile.model import MetricSpec
from wpfsm.fsm.strategies.expression import MetricReport, check_regex
from wpfsm.fsm.strategies.metrics import extract, finite, last_finite, series
from wpfsm.fsm.strategies.numbers import parse

REGEX = r"eval_loss=([0-9.eE+-]+|nan|inf)"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_what_python_prints_is_read_back(values):
    """Every number that a script prints is extracted exactly, in order, among other lines."""
    lines = [line for value in values for line in (f"step eval_loss={value!r}", "something else")]

    assert extract(REGEX, lines) == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.25", 0.25), ("-3", -3.0), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("1e-3", 1e-3), ("1E+3", 1000.0), (" 7 ", 7.0),
        ("inf", math.inf), ("-Infinity", -math.inf),
        ("90%", None), ("1,5", None), ("1_000", None), ("", None), ("x", None), ("e5", None), (".", None), ("0x10", None),
        ("--1", None), ("٣", None),
    ],
)  # fmt: skip
def test_which_texts_are_numbers(text, value):
    """The table in the module's documentation, row by row."""
    assert parse(text) == value


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan"])
def test_nan_is_reported_and_not_finite(text):
    """A NaN is a report, not silence."""
    assert math.isnan(parse(text))


@pytest.mark.parametrize(
    ("line", "captured"),
    [
        ("eval_loss=nan", ["nan"]), ("eval_loss=-inf lr=0.1", ["-inf"]), ("{'eval_loss': NaN, 'epoch': 2}", ["NaN"]),
        ("eval_loss=0.2 eval_loss=nan", ["nan"]), ("eval_loss=nan eval_loss=0.2", ["0.2"]), ("train_loss=nan eval_loss=0.3", ["0.3"]),
        ("eval_loss=nano", []), ("grad_norm=nan", []), ("is nan eval_loss", []),
    ],
)  # fmt: skip
def test_an_expression_need_not_spell_what_is_not_finite(line, captured):
    """People write `([0-9.eE+-]+)`: where it looks for a number, nan and inf are reports, elsewhere they are none."""
    found = series(r"\beval_loss['\"]?[=:] ?([0-9.eE+-]+)", [line])

    assert [reading.captured for reading in found] == captured


def test_the_first_group_is_the_value():
    """Further groups are ignored, and a group that did not take part is no number."""
    assert extract(r"(\d+) of (\d+)", ["3 of 10"]) == [3.0]
    assert list(series(r"loss(?:=(\d+))?;", ["loss;"])) == [MetricReport(1, "", None)]


def test_series_shows_the_last_match_of_each_line():
    """What `wpfsm metric test` prints: the line, the captured text, the number if it is one, and what came before."""
    lines = ["start", "acc=0.5 acc=0.6", "acc=90%"]

    found = list(series(r"acc=(\S+)", lines))

    assert found == [MetricReport(2, "0.6", 0.6, None, ("0.5",)), MetricReport(3, "90%", None)]


def test_percent_digits_can_be_captured():
    """The documented way to read `90%`."""
    assert extract(r"acc=([0-9.]+)%", ["acc=90%"]) == [90.0]


@pytest.mark.parametrize(
    ("values", "last"),
    [
        ([], None),
        ([0.5, 0.25], 0.25),
        ([0.1, math.nan], None),
        ([math.nan, 0.1], 0.1),
        ([0.1, math.inf], None),
        ([0.0], 0.0),
    ],
)
def test_the_last_value_wins_and_only_if_finite(values, last):
    """A job that diverged at the end has no metric; an absent metric is null, and 0 is a metric."""
    assert last_finite(values) == last


def test_finite_passes_only_finite_numbers():
    """Null, NaN and infinity are all null."""
    assert [finite(value) for value in (None, math.nan, -math.inf, 0.0)] == [None, None, None, 0.0]


@pytest.mark.parametrize(
    ("regex", "message"),
    [
        ("", "1 to 500"),
        ("(" + "a" * 500 + ")", "not 502"),
        ("loss=([0-9", "does not compile"),
        ("mse=[0-9.]+", r"as in mse=\(\[-\+0-9.eE\]\+\)"),
        (r"loss=\d+", "captures nothing"),
        (r"loss=(?:\d+)", "captures nothing"),
    ],
)
def test_an_expression_that_yields_no_value_is_refused(regex, message):
    """The service's limit, the syntax and the missing group are each named."""
    with pytest.raises(ValueError, match=message):
        check_regex(regex)
    with pytest.raises(ValueError, match=message):
        extract(regex, [])
    with pytest.raises(ValueError, match=message):
        MetricSpec(name="loss", regex=regex)


def test_the_longest_expression_is_accepted():
    """500 characters are within the limit."""
    assert check_regex("(" + "a" * 498 + ")").groups == 1


@pytest.mark.parametrize(("name", "goal"), [("", "minimize"), ("n" * 256, "minimize"), ("loss", "min")])
def test_an_impossible_metric_is_refused(name, goal):
    """Names have the service's length, and the goal is one of two words."""
    with pytest.raises(ValidationError, match=r"name|goal"):
        MetricSpec.model_validate({"name": name, "regex": REGEX, "goal": goal})


def test_a_key_that_a_metric_does_not_have_is_refused():
    """The section of the loop file names the key."""
    with pytest.raises(ValidationError, match="gaol"):
        MetricSpec.model_validate({"name": "loss", "regex": REGEX, "gaol": "minimize"})
