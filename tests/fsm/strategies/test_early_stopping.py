"""The median rule on the live metric."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wpfsm.fsm.strategies.early_stopping import EarlyStopConfig, should_prune
from wpfsm.fsm.strategies.metrics import Goal

LOSS = Goal("loss", "minimize")
ACCURACY = Goal("accuracy", "maximize")
PEERS = [[0.9, 0.7, 0.5, 0.4], [0.8, 0.6, 0.5, 0.4], [1.0, 0.8, 0.6, 0.5]]

curves = st.lists(st.floats(-100, 100), min_size=1, max_size=10)
peers = st.lists(curves, max_size=6)


def test_a_job_far_behind_the_others_is_hopeless():
    """Its best value is worse than the median of the others' means so far; the reason has both numbers."""
    assert should_prune([3.0, 2.9, 2.8], PEERS, LOSS, 3) == (
        "after 3 reports the best loss is 2.8, worse than the median 0.7 of 3 completed trials"
    )


def test_a_job_among_the_others_goes_on():
    """A job as good as the median is not stopped."""
    assert should_prune([0.95, 0.8, 0.7], PEERS, LOSS, 3) is None
    assert should_prune([2.0, 0.69, 3.0], PEERS, LOSS, 3) is None


def test_the_goal_turns_the_rule_around():
    """With a metric to maximise, the low job is the hopeless one."""
    assert should_prune([0.1, 0.1], PEERS, ACCURACY, 2) is not None
    assert should_prune([0.99, 0.99], PEERS, ACCURACY, 2) is None


def test_nothing_is_judged_before_the_warm_up():
    """A job may be bad until it has made its reports."""
    assert should_prune([9.0, 9.0], PEERS, LOSS, 3) is None
    assert should_prune([9.0, 9.0, 9.0], PEERS, LOSS, 3) is not None


def test_too_few_trials_are_no_yardstick():
    """Only completed trials that got as far count, and three of them are needed unless said otherwise."""
    assert should_prune([9.0] * 3, PEERS[:2], LOSS, 3) is None
    assert should_prune([9.0] * 3, PEERS[:2], LOSS, 3, min_trials=2) is not None
    assert should_prune([9.0] * 5, PEERS, LOSS, 5) is None, "the others made four reports"


def test_a_job_that_outlives_the_others_is_compared_as_far_as_they_got():
    """Its best value of all against their means to the end: read late, a hopeless job is still found."""
    assert "median 0.625 of 3" in should_prune([9.0] * 40, PEERS, LOSS, 3)
    assert should_prune([9.0] * 39 + [0.6], PEERS, LOSS, 3) is None


def test_a_job_that_lost_its_numbers_is_hopeless():
    """As many non-finite reports in a row as the warm-up has are enough, even in the first trial."""
    assert should_prune([0.5, math.nan, math.nan], [], LOSS, 2) == "loss was not finite in the last 2 reports"
    assert should_prune([math.nan, math.inf, 0.5], [], LOSS, 2) is None
    assert should_prune([math.nan], [], LOSS, 2) is None


def test_non_finite_reports_of_others_are_left_out():
    """A peer's mean is that of its finite reports; a peer without any is no peer."""
    assert "median 0.5 of 3" in should_prune(
        [9.0, 9.0], [[math.nan, 0.5], [0.5, 0.5], [math.inf, 0.5]], LOSS, 2
    )
    assert should_prune([9.0, 9.0], [[math.nan, math.nan], [0.5, 0.5], [0.5, 0.5]], LOSS, 2) is None


@given(curves, peers, st.integers(1, 5))
def test_being_better_never_makes_a_job_hopeless(running, completed, warmup):
    """A job that reports lower losses throughout is stopped only if the higher one was."""
    lower = [value - 1 for value in running]

    if should_prune(lower, completed, LOSS, warmup):
        assert should_prune(running, completed, LOSS, warmup)


@given(peers.filter(len), st.integers(1, 5), st.integers(1, 3))
def test_the_best_of_the_completed_is_never_hopeless(completed, warmup, min_trials):
    """A job that repeats the curve with the lowest mean would not have been stopped."""
    length = min(map(len, completed))
    leader = min(completed, key=lambda values: sum(values[:length]) / length)[:length]

    assert should_prune([min(leader), *leader[1:]], completed, LOSS, warmup, min_trials=min_trials) is None


@given(curves, peers, st.integers(1, 5))
def test_the_rule_is_the_same_for_both_goals(running, completed, warmup):
    """Negating every value and the goal changes nothing."""
    mirrored = [[-value for value in values] for values in completed]

    one = should_prune(running, completed, LOSS, warmup)
    other = should_prune([-value for value in running], mirrored, ACCURACY, warmup)

    assert (one is None) == (other is None)


def test_the_section_has_defaults_and_bounds():
    """`early_stop: {}` is enough; zero reports are not."""
    assert EarlyStopConfig() == EarlyStopConfig(warmup_reports=3, min_trials=3)
    for wrong in ({"warmup_reports": 0}, {"min_trials": 0}, {"warmup": 3}):
        with pytest.raises(ValidationError):
            EarlyStopConfig(**wrong)
