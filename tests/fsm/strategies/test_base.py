"""What the strategies share: the best row, the repeated failure, labels."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_play import ACCURACY, LOSS

from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.strategies import TrialRow, best, repeated_failure
from wpfsm.fsm.strategies.base import label_for


def trial(number, metric=None, state="completed", smoke=False, fingerprint=None):
    return TrialRow(number, {}, f"t{number}", smoke, state, metric, fingerprint)


@given(st.lists(st.none() | st.floats()))
def test_best_is_the_finite_extreme(values):
    """Of the completed trials the one with the smallest (or largest) finite metric is best, and no other."""
    rows = [trial(number, value) for number, value in enumerate(values, start=1)]
    finite = [value for value in values if value is not None and math.isfinite(value)]

    low, high = best(rows, LOSS), best(rows, ACCURACY)

    assert (low and low.metric) == (min(finite) if finite else None)
    assert (high and high.metric) == (max(finite) if finite else None)


@pytest.mark.parametrize(
    "spoiled",
    [
        trial(2, 0.1, smoke=True),
        trial(2, 0.1, state="failed"),
        trial(2, 0.1, state="stopped"),
        trial(2, 0.1, state="running"),
        trial(2, None),
        trial(2, -math.inf),
        trial(2, math.nan),
    ],
    ids=["smoke", "failed", "stopped", "running", "missing", "infinite", "nan"],
)
def test_what_is_never_best(spoiled):
    """A better number does not help a trial that is not a finished, full one with a finite metric."""
    good = trial(1, 0.5)

    assert best([good, spoiled], LOSS) == good
    assert best([spoiled], LOSS) is None


def test_of_two_equals_the_earlier_is_best():
    """The best trial does not change when a later one only draws level."""
    assert best([trial(1, 0.5), trial(2, 0.5)], LOSS).number == 1


def test_without_a_goal_nothing_is_best():
    """A loop without a metric names no best trial."""
    assert best([trial(1, 0.5)], None) is None


def test_the_same_failure_in_two_trials_ends_the_loop():
    """Two trials with one fingerprint are named, even when others lie between them."""
    rows = [
        trial(1, None, "failed", fingerprint="abc"),
        trial(2, 0.5),
        trial(3, None, "failed", fingerprint="abc"),
    ]

    reason = repeated_failure(rows)

    assert "1 and 3" in reason
    assert "abc" in reason


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [trial(1, None, "failed", fingerprint="a"), trial(2, None, "failed", fingerprint="b")],
        [trial(1, None, "failed"), trial(2, None, "failed")],
        [trial(1, None, "failed", fingerprint="a"), trial(2, 0.5, fingerprint="a")],
        [trial(1, None, "failed", fingerprint="a"), trial(1, None, "failed", fingerprint="a")],
    ],
    ids=["empty", "different", "unknown", "recovered", "same trial"],
)
def test_other_failures_do_not_end_the_loop(rows):
    """Different or unknown fingerprints, a trial that recovered, and one trial seen twice prove nothing."""
    assert repeated_failure(rows) is None


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.data())
def test_different_params_have_different_labels(data):
    """A label stands for one set of params: no two values, types or names share one."""
    names = data.draw(st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True))
    one = {name: data.draw(scalars) for name in names}
    other = {name: data.draw(scalars) for name in data.draw(st.sampled_from([names, names[:1]]))}

    same = [(k, type(v), v) for k, v in one.items()] == [(k, type(v), v) for k, v in other.items()]

    assert (label_for(one) == label_for(other)) == same


@pytest.mark.parametrize(
    ("params", "label"),
    [
        ({"lr": 1e-4, "batch_size": 8}, "lr=0.0001 batch_size=8"),
        ({"lr": 5e-5}, "lr=5e-05"),
        ({"fp16": True, "optim": "adamw_torch", "resume": None}, "fp16=true optim=adamw_torch resume=null"),
        ({"v": "1.10", "w": "true", "x": "a b"}, 'v="1.10" w="true" x="a b"'),
        ({}, "as given"),
    ],
)
def test_labels_read_well(params, label):
    """A label is what a person would write; a string is quoted only where it could be mistaken."""
    assert label_for(params) == label


def test_a_missing_extra_brings_its_command():
    """The error carries the command that repairs it."""
    error = MissingExtra("bayes", "a search")

    assert error.fix == "pip install 'wpfsm[bayes]'"
    assert "a search" in str(error)
