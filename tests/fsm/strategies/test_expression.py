"""Expressions that cannot hang their reader."""

from __future__ import annotations

import contextlib
import time

import pytest

from wpfsm.fsm.strategies.expression import Expression, MetricReport, check_regex, with_group

BACKTRACKS = [
    r"(?:.*,)*loss=(\d+)", r"(x+x+)+y", r".*\[[0-9]+\].*#011validation-auc:(\S+)", r"(\s*.*)*loss=([0-9.]+)", r"((a|aa)+)$",
    r"(?:\d+ ?)+loss (\d)",
]  # fmt: skip
LONG_LINES = [
    "x" * 40_000,
    "".join(f"[{i}] bar " for i in range(12_000)),
    "a" * 30_000 + "b",
    "1 " * 20_000,
    " " * 200_000,
]


@pytest.mark.parametrize("regex", BACKTRACKS)
def test_reading_ends_whatever_the_line(regex):
    """An expression that backtracks for ever costs a second or two of processor time, not minutes, and says so."""
    expression = Expression(regex)
    began = time.thread_time()

    expression.read(LONG_LINES)

    assert time.thread_time() - began < 20  # where it is not bounded it takes minutes
    assert not expression.given_up or regex in expression.given_up.replace("\\\\", "\\")


def test_a_line_that_takes_too_long_is_left_out_and_the_others_are_read():
    """The number of the first such line is kept for the message."""
    expression = Expression(r"(?:x+x+)+loss=(\d+)", line_seconds=0.05, read_seconds=5)

    found = expression.read(["xxloss=3", "x" * 40_000, "xxloss=4"])

    assert [reading.value for reading in found] == [3, 4]
    assert expression.skipped == 2
    assert not expression.given_up


def test_an_expression_that_was_given_up_reads_nothing_more():
    """A log that costs a second a page would cost the stop its promptness on every page."""
    expression = Expression(r"(x+x+)+y", line_seconds=0.05, read_seconds=0.1)

    expression.read(["x" * 40_000] * 10)

    assert "not read any more" in expression.given_up
    assert expression.read(["xxy"]) == []


def test_many_matches_and_many_nans_in_one_line_end_in_time():
    """A dump of an array is one line with a million candidates."""
    expression = Expression(r"([0-9.]+)")
    began = time.thread_time()

    expression.read(["nan " * 250_000, "1 " * 500_000, "inf, 1 " * 100_000])

    assert time.thread_time() - began < 20  # where it is not bounded it takes minutes


def test_the_last_match_of_a_line_is_its_report():
    """A progress bar rewrites its line: what it showed last is what holds."""
    bar = "50% val_loss=0.9\r100% val_loss=0.48"

    assert Expression(r"val_loss=([0-9.]+)").read([bar]) == [MetricReport(1, "0.48", 0.48, None, ("0.9",))]


def test_a_cut_number_is_no_value():
    """It is shown with the number that was printed."""
    assert Expression(r"loss=([0-9.]+)").read(["loss=4.5e-05"]) == [MetricReport(1, "4.5", None, "4.5e-05")]


@pytest.mark.parametrize(
    ("text", "line", "value"),
    [("mse=[0-9.]+", "mse=0.4875", 0.4875), (r"mse: \S+", "mse: 1e-3", 1e-3), ("mse is ", "mse is -2", -2.0)],
)
def test_the_expression_that_is_proposed_reads_the_number(text, line, value):
    """What the message of a refusal says to write must be worth writing."""
    (reading,) = Expression(with_group(text)).read([line])

    assert reading.value == value


@pytest.mark.parametrize(
    "text", ["(a{9999}){9999}", "(" * 250, "(?P<n>a)(?P<n>b)", "(?<=a+)(b)", "([[:alpha:]]", "(\\p{L}"]
)
def test_any_text_is_compiled_or_refused(text):
    """Never another exception."""
    with contextlib.suppress(ValueError):
        check_regex(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (r".*#011validation-rmse:([0-9.]+)", "[0]\ttrain-rmse:0.9\tvalidation-rmse:0.5"),
        (r"\tvalidation-rmse:([0-9.]+)", "[0]#011train-rmse:0.9#011validation-rmse:0.5"),
        (r"rmse:\s+([0-9.]+)", "rmse:#0110.5"),
        (r"#033\[1mloss ([0-9.]+)", "\x1b[1mloss 0.5"),
        (r"#011loss=([0-9.]+)", "a#011loss=0.5"),
    ],
)
def test_a_tab_is_read_as_it_is_and_as_a_system_log_shows_it(text: str, line: str) -> None:
    """An expression was written for one of the two, and the log is the other one's."""
    (reading,) = Expression(text).read([line])
    assert reading.value == 0.5


def test_a_number_sign_of_a_metric_is_no_control_character() -> None:
    """The line as it stands comes first."""
    (reading,) = Expression(r"run #(\d+)").read(["run #011"])
    assert reading.captured == "011"
