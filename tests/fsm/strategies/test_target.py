"""Targets: how they are read and when they are met."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.strategies.target import MetricTarget


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("eval_loss < 0.30", MetricTarget("eval_loss", "<", 0.3)),
        ("eval_loss<=3e-1", MetricTarget("eval_loss", "<=", 0.3)),
        ("accuracy >= 90%", MetricTarget("accuracy", ">=", 0.9, percent=True)),
        ("  val:acc@1 > .5 ", MetricTarget("val:acc@1", ">", 0.5)),
        ("eval loss < -2", MetricTarget("eval loss", "<", -2.0)),
    ],
)
def test_a_target_is_read(text, target):
    """A metric, a comparison and a number, with or without spaces and a percent sign."""
    assert MetricTarget.parse(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "loss",
        "loss <",
        "< 3",
        "loss = 3",
        "loss == 3",
        "loss < x",
        "loss < nan",
        "loss < 1e999",
        "a < 1 < 2",
        "loss =< 1",
    ],
)
def test_what_is_no_target_is_refused(text):
    """The message quotes the text and shows how a target is written."""
    with pytest.raises(ValueError, match="is no target"):
        MetricTarget.parse(text)


@given(st.sampled_from(["<", "<=", ">", ">="]), st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.6g}")))
def test_a_target_reads_back_as_it_is_shown(op, value):
    """What is printed in a reason is a target again."""
    target = MetricTarget("loss", op, value)

    assert MetricTarget.parse(str(target)) == target


@pytest.mark.parametrize(
    ("text", "value", "met"),
    [
        ("loss < 0.3", 0.29, True),
        ("loss < 0.3", 0.3, False),
        ("loss <= 0.3", 0.3, True),
        ("acc > 0.9", 0.9, False),
        ("acc >= 0.9", 0.9, True),
        ("acc >= 90%", 0.9, True),
        ("acc >= 90%", 0.89, False),
        ("loss < 0.3", None, False),
        ("loss < 0.3", -math.inf, False),
        ("acc > 0.3", math.inf, False),
        ("acc > 0.3", math.nan, False),
        ("loss < 1e300", 1e299, True),
    ],
)
def test_when_a_target_is_met(text, value, met):
    """Strict and non-strict comparisons differ at the number; a missing or non-finite value meets nothing."""
    assert MetricTarget.parse(text).met(value) is met


@given(st.floats(-1e30, 1e30))
def test_single_precision_does_not_decide(value):
    """A metric that the service rounded to single precision meets exactly what the target's number meets."""
    rounded = struct.unpack("f", struct.pack("f", value))[0]

    assert MetricTarget("m", "<=", value).met(rounded)
    assert MetricTarget("m", ">=", value).met(rounded)
    assert not MetricTarget("m", "<", value).met(rounded)
    assert not MetricTarget("m", ">", value).met(rounded)


def test_a_percentage_follows_the_scale_of_the_metric():
    """`>= 90%` means 0.9 for a fraction and 90 for a metric that was seen above 1."""
    target = MetricTarget.parse("accuracy >= 90%")

    assert target.met(91.0)
    assert not target.met(89.0)
    assert not target.met(0.95, reported=[60.0, 0.95])
    assert not MetricTarget.parse("error <= 5%").met(12.0)
    assert MetricTarget.parse("error <= 5%").met(4.0, reported=[12.0, 4.0])


def test_a_percentage_above_a_hundred_is_a_plain_ratio():
    """`>= 150%` is 1.5: such a metric is no share of anything."""
    assert MetricTarget.parse("speedup >= 150%").met(1.6)
