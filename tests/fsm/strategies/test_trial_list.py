"""A fixed list of trials is run in order, each once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.strategies.base import PREVIEW, Point, StrategyError, TrialRow
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.trial_list import TrialList

GOAL = Goal("loss", "minimize")
labels = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=8, unique=True)
ends = st.sampled_from(["completed", "failed", "stopped"])


def row(number: int, proposal: Point, state: str = "completed") -> TrialRow:
    """The row of a proposal that was run."""
    metric = float(number) if state == "completed" else None
    return TrialRow(number=number, params=proposal.params, label=proposal.label, smoke=proposal.smoke, state=state,
                    metric=metric, fingerprint=None, repeat=proposal.repeat)  # type: ignore[arg-type] # fmt: skip


@given(labels, st.data())
def test_every_trial_is_run_once_and_in_order_whatever_its_end(names, data):
    """The list is run to its end; then the strategy asks for nothing more, and says so."""
    strategy = TrialList([Point({"x": name}, name) for name in names], GOAL)
    rows = []
    while proposal := strategy.next(rows):
        rows.append(row(len(rows) + 1, proposal, data.draw(ends)))

    assert [each.label for each in rows] == names
    assert strategy.total() == strategy.at_most() == len(names)
    assert strategy.goal_met(rows) is None


def test_a_list_that_has_grown_runs_what_is_new():
    """A trial is known by its label, so the ones that were run are not run again."""
    old, new = Point({}, "a"), Point({}, "b")

    assert TrialList([new, old], GOAL).next([row(1, old)]) == new


def test_a_smoke_trial_stands_for_none_of_the_list():
    """It was shorter than the trial of its name."""
    proposal = Point({}, "a")

    assert TrialList([proposal], GOAL).next([row(1, Point({}, "a", smoke=True))]) == proposal


def test_a_list_must_hold_something_and_nothing_twice():
    """The same label may come back as a repeat only."""
    with pytest.raises(StrategyError, match="no trials"):
        TrialList([], GOAL)
    with pytest.raises(StrategyError, match="'a'"):
        TrialList([Point({}, "a"), Point({"lr": 1}, "a")], GOAL)
    assert TrialList([Point({}, "a"), Point({}, "a", repeat=1)], GOAL).total() == 2


def test_a_preview_is_bounded():
    """A plan shows the beginning of a long list."""
    strategy = TrialList([Point({}, str(n)) for n in range(2 * PREVIEW)], GOAL)

    assert [each.label for each in strategy.preview()] == [str(n) for n in range(PREVIEW)]
