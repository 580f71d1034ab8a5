"""Bayesian search through Optuna."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_play import LOSS, completed, config, play, row, scripted, strategy

from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.strategies import StrategyError, missing_extra
from wpfsm.fsm.strategies.base import describe

LR = {"min": 1e-5, "max": 1e-1, "scale": "log"}
SECTION = {
    "type": "sweep",
    "method": "bayes",
    "parameters": {"lr": LR, "dropout": {"min": 0.0, "max": 0.5, "step": 0.1}, "batch": [4, 8, 16]},
    "count": 10,
    "seed": 11,
}


def far_from_a_hundredth(proposal, index):
    return "completed", (proposal.params["lr"] - 0.01) ** 2 + proposal.params["dropout"]


@settings(max_examples=15, deadline=None)
@given(
    script=st.lists(
        st.sampled_from(
            [("completed", 0.3), ("completed", 0.1), ("completed", None), ("failed", None), ("stopped", 0.4)]
        ),
        min_size=1,
        max_size=10,
    ),
    crash=st.integers(0, 10),
)
def test_a_resumed_search_runs_to_the_same_end(script, crash):
    """Interrupted after any trial and resumed by a new process, the search makes the very same trials."""
    uninterrupted, rows = play(strategy(SECTION), scripted(*script))

    resumed, _ = play(strategy(SECTION), scripted(*script), rows[:crash])

    assert resumed == uninterrupted[crash:]


def test_the_search_learns_from_the_rows():
    """Other outcomes lead to other proposals once the first random ones are over."""
    one, _ = play(strategy(SECTION), far_from_a_hundredth)
    other, _ = play(strategy(SECTION), lambda p, n: ("completed", -far_from_a_hundredth(p, n)[1]))

    assert one[:3] == other[:3]
    assert one != other


def test_the_search_beats_its_own_random_start():
    """On a smooth objective the later half is better on average than the random beginning."""
    section = {
        "type": "sweep",
        "method": "bayes",
        "parameters": {"x": {"min": -10.0, "max": 10.0}},
        "count": 40,
    }

    _, rows = play(strategy(section), lambda p, n: ("completed", (p.params["x"] - 3) ** 2))

    losses = [each.metric for each in rows]
    assert sum(losses[20:]) / 20 < sum(losses[:10]) / 10
    assert min(losses) < 0.1


def test_maximize_turns_the_search_around():
    """With a metric to maximise, the search climbs."""
    section = {
        "type": "sweep",
        "method": "bayes",
        "parameters": {"x": {"min": -10.0, "max": 10.0}},
        "count": 30,
    }
    what = strategy(section, LOSS.__class__("accuracy", "maximize"))

    _, rows = play(what, lambda p, n: ("completed", -((p.params["x"] + 5) ** 2)))

    assert max(each.metric for each in rows) > -0.5


def test_proposals_stay_in_the_space():
    """Every proposal has a value of each parameter, on the step and of the right type."""
    proposals, _ = play(strategy(SECTION), far_from_a_hundredth)

    for each in proposals:
        assert 1e-5 <= each.params["lr"] <= 1e-1
        assert each.params["dropout"] in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
        assert each.params["batch"] in (4, 8, 16)
        assert type(each.params["batch"]) is int


@settings(max_examples=40, deadline=None)
@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-2, 1e3), steps=st.floats(1, 20), integral=st.booleans())
def test_a_range_that_its_step_does_not_divide_is_searched(low, width, steps, integral):
    """Any range can be searched: each proposal is one of its values, and is told back as such."""
    dimension = {"min": low, "max": low + width, "step": width / steps}
    if integral:
        dimension = {"min": int(low), "max": int(low) + int(width) + 2, "step": 1 + int(width / steps / 2)}
    section = {"type": "sweep", "method": "bayes", "parameters": {"x": dimension}, "count": 4}
    known = set(config(section).space().dimensions["x"].all())

    proposals, _ = play(strategy(section), completed(0.5))

    assert len({each.params["x"] for each in proposals}) == min(4, len(known))
    assert {each.params["x"] for each in proposals} <= known


def test_a_small_space_is_searched_without_repeats():
    """Six combinations are six different trials, and then the search is over."""
    what = strategy(
        {"type": "sweep", "method": "bayes", "parameters": {"a": [1, 2, 3], "b": ["x", "y"]}, "count": 50}
    )

    proposals, rows = play(what, completed(0.5))

    assert what.total() == 6
    assert {(p.params["a"], p.params["b"]) for p in proposals} == {(a, b) for a in (1, 2, 3) for b in "xy"}
    assert what.summary(rows).ended == "every trial is done (6)"


def test_a_row_from_outside_the_space_is_left_out():
    """A trial that a patch moved out of the space counts, but teaches the search nothing, and breaks nothing."""
    what = strategy(SECTION)
    first = what.next([])
    inside = row(1, first, ("completed", 0.5))
    outside = inside.__class__(
        1, {**first.params, "batch": 2}, first.label, smoke=False, state="completed", metric=0.5
    )

    following = what.next([outside])

    assert following is not None
    assert following != first
    assert describe([outside], LOSS).best == 1


def test_without_optuna_the_extra_is_named(monkeypatch):
    """The missing extra is found beforehand, and proposing says how to install it; the standing needs none."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    what = strategy(SECTION)

    assert missing_extra(config(SECTION)).fix == "pip install 'wpfsm[bayes]'"
    assert missing_extra(config({"type": "until", "target": "loss < 1", "propose": SEARCH})) is not None
    assert missing_extra(config({"type": "sweep", "parameters": {"lr": [1]}})) is None
    assert what.summary([]).text == "0 of 0 trials completed"
    with pytest.raises(MissingExtra):
        what.next([])
    with pytest.raises(MissingExtra):
        what.preview()


SEARCH = {key: value for key, value in SECTION.items() if key != "type"}


def test_with_optuna_nothing_is_missing():
    """An installed extra is no finding."""
    assert missing_extra(config(SECTION)) is None


def test_a_search_needs_a_metric():
    """There is nothing to learn from without one."""
    with pytest.raises(StrategyError, match="needs a metric"):
        strategy(SECTION, None)
