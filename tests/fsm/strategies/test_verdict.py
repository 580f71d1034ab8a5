"""What becomes of a trial, and what the next one starts from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.records import Trial
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.verdict import base_trial, best_average, best_trial, judge, start_of

LOSS = Goal("loss", "minimize")
F1 = Goal("f1", "maximize")


def trial(number: int, metric: float | None = None, **more: Any) -> Trial:
    """A completed trial, unless said otherwise."""
    return Trial("lr", number, {}, f"t{number}", **{"state": "completed", "metric": metric, **more})


@pytest.mark.parametrize(
    ("goal", "metric", "verdict"),
    [
        (LOSS, 0.4, "kept"),
        (LOSS, 0.6, "discarded"),
        (LOSS, 0.5, "discarded"),
        (F1, 0.6, "kept"),
        (F1, 0.4, "discarded"),
    ],
)
def test_a_result_is_kept_when_it_is_better_than_the_best_so_far(
    goal: Goal, metric: float, verdict: str
) -> None:
    """By the direction of the goal; an equal one is not better."""
    worse = 0.9 if goal is LOSS else 0.1
    said, why = judge(trial(3, metric), [trial(1, 0.5), trial(2, worse)], goal)

    assert said == verdict
    assert "of trial 1" in why


def test_keep_all_keeps_what_is_not_better_and_says_so() -> None:
    """The loop file decides what is kept, the figures stay honest."""
    said, why = judge(trial(2, 0.9), [trial(1, 0.5)], LOSS, "all")

    assert said == "kept"
    assert why.startswith("not better, kept by keep: all")


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (trial(1, state="failed"), "failed"),
        (trial(1, state="stopped"), "stopped"),
        (trial(1, state="running"), ""),
        (trial(1, 0.1, smoke=True), ""),
        (trial(1), "kept"),
        (trial(1, 0.1), "kept"),
    ],
)
def test_without_a_result_to_compare_the_end_is_the_verdict(ended: Trial, verdict: str) -> None:
    """The first result is kept, a smoke trial is not judged."""
    assert judge(ended, [], LOSS)[0] == verdict


def test_a_difference_within_the_noise_decides_nothing() -> None:
    """With repeats on both sides the interval decides, not the two means."""
    before = [trial(1, 0.50), trial(2, 0.60, repeat_of=1), trial(3, 0.49)]

    assert judge(trial(4, 0.59, repeat_of=3), before, LOSS)[0] == "inconclusive"
    sure = [trial(1, 0.500), trial(2, 0.501, repeat_of=1), trial(3, 0.100)]
    assert judge(trial(4, 0.101, repeat_of=3), sure, LOSS)[0] == "kept"


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=8), st.sampled_from([LOSS, F1]))
def test_no_completed_trial_is_better_than_the_best(metrics: list[float | None], goal: Goal) -> None:
    """And of equal ones the first is it."""
    trials = [trial(number, metric) for number, metric in enumerate(metrics, start=1)]
    best = best_trial(trials, goal)

    measured = [each for each in trials if each.metric is not None]
    assert (best is None) == (not measured)
    for each in measured:
        assert best is not None
        assert best.metric is not None
        assert each.metric is not None
        assert not goal.better(each.metric, best.metric)
        assert each.metric != best.metric or best.number <= each.number


def test_the_best_on_the_average_is_not_the_luckiest() -> None:
    """A single lucky repeat does not win."""
    best = best_average([trial(1, 0.5), trial(2, 0.1), trial(3, 1.3, repeat_of=2)], LOSS)

    assert best is not None
    assert (best.number, best.metric) == (1, 0.5)


def test_the_next_trial_starts_from_what_is_kept() -> None:
    """The newest that was kept; with keep: last the newest at all; a smoke trial and a repeat never."""
    kept, discarded = trial(1, 0.5, verdict="kept"), trial(2, 0.9, verdict="discarded")
    others = [trial(3, 0.1, smoke=True), trial(4, 0.1, repeat_of=1), trial(5, state="running")]

    assert base_trial([kept, discarded, *others]) == kept
    assert base_trial([kept, discarded, *others], "last") == discarded
    assert base_trial([discarded]) is None


@pytest.mark.parametrize(("spec", "number"), [("best", 2), ("last", 3), ("1", 1), ("9", None), ("", 2)])
def test_a_proposal_says_what_it_starts_from(spec: str, number: int | None) -> None:
    """By word or number; a number that is not there is the job as the loop file gives it."""
    trials = [
        trial(1, 0.5, verdict="kept"),
        trial(2, 0.4, verdict="kept"),
        trial(3, 0.9, verdict="discarded"),
    ]
    start = start_of(spec, trials, LOSS, "better")

    assert (start.number if start else None) == number


def test_at_a_failure_a_proposal_stands_in_for_the_failed_trial() -> None:
    """Unless it says otherwise."""
    failed = trial(2, state="failed")

    assert start_of("", [trial(1, 0.5), failed], LOSS, "better", failed) == failed
    assert start_of("1", [trial(1, 0.5), failed], LOSS, "better", failed) == trial(1, 0.5)
