"""One short trial before the real ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from strategy_play import completed, play, row, scripted, strategy

from wpfsm.fsm.strategies import StrategyError
from wpfsm.fsm.strategies.smoke import smoke_overrides

GRID = {"type": "sweep", "parameters": {"lr": [1e-4, 5e-5, 2e-5]}}
KINDS = {
    "sweep": GRID,
    "until": {"type": "until", "target": "loss < 0.1", "max_trials": 2},
    "recipes": {"type": "recipes", "recipes": [{"name": "a", "source": "a/", "environment": {"A": "1"}}]},
    "ablate": {"type": "ablate", "variants": [{"name": "v", "set": {"d": 1}}]},
    "single": {"type": "single"},
}


@pytest.mark.parametrize("section", KINDS.values(), ids=KINDS)
def test_the_first_trial_runs_short_then_in_full(section):
    """The smoke trial is the first trial with the smoke settings over it; afterwards all is as without it."""
    plain, _ = play(strategy(section), completed(0.5))

    smoked, _ = play(strategy({**section, "smoke": {"epochs": 1, "limit": 64}}), completed(0.5))

    first = smoked[0]
    assert first.smoke
    assert first.label == f"smoke: {plain[0].label}"
    assert first.params == {**plain[0].params, "epochs": 1, "limit": 64}
    assert (first.source, first.environment) == (plain[0].source, plain[0].environment)
    assert smoked[1:] == plain


@pytest.mark.parametrize("state", ["failed", "stopped"])
@pytest.mark.parametrize("section", KINDS.values(), ids=KINDS)
def test_a_smoke_trial_that_does_not_complete_ends_the_loop(section, state):
    """None of the real trials is run, and the standing says why."""
    what = strategy({**section, "smoke": {"epochs": 1}})

    proposals, rows = play(what, scripted((state, None), ("completed", 0.5)))

    assert [each.smoke for each in proposals] == [True]
    assert what.summary(rows).ended == f"the smoke trial {state}: the other trials were not run"
    assert what.goal_met(rows) is None


def test_true_shortens_what_is_known_to_set_the_length():
    """`smoke: true` finds the epochs of the job, and those that the strategy itself varies."""
    proposals, _ = play(strategy({**GRID, "smoke": True}), completed(0.5))
    assert proposals[0].params == {"lr": 1e-4, "epochs": 1}

    varied = strategy({"type": "sweep", "parameters": {"max-steps": [500, 900]}, "smoke": True}, base={})
    assert varied.next([]).params == {"max-steps": 10}


def test_true_without_a_known_length_is_refused():
    """A smoke trial that would be as long as any other is a mistake in the file."""
    with pytest.raises(StrategyError, match=r"say which, such as smoke: \{max_steps: 10\}"):
        strategy({**GRID, "smoke": True}, base={"lr": 1e-3})


def test_an_empty_mapping_is_refused():
    """Smoke settings that change nothing are a mistake in the file."""
    with pytest.raises(StrategyError, match="names no hyperparameter"):
        strategy({**GRID, "smoke": {}})


def test_false_changes_nothing():
    """No smoke trial is the default."""
    assert smoke_overrides(False, ["epochs"]) == {}
    assert play(strategy({**GRID, "smoke": False}), completed(0.5)) == play(strategy(GRID), completed(0.5))


def test_the_smoke_trial_counts_in_the_total():
    """The forecast includes it, and shows it first."""
    what = strategy({**GRID, "smoke": True})

    assert what.total() == 4
    assert what.at_most() == 4
    assert [each.smoke for each in what.preview()] == [True, False, False, False]


@pytest.mark.parametrize("section", KINDS.values(), ids=KINDS)
def test_a_loop_that_goes_on_without_smoke_does_not_count_its_smoke_trial(section):
    """With `smoke` taken out of the file on a resume, the short run meets no target and stands for no trial."""
    smoke = strategy({**section, "smoke": {"epochs": 1}}).next([])
    short = row(1, replace(smoke, label=smoke.label.removeprefix("smoke: ")), ("completed", 0.01))
    plain = strategy(section)

    assert plain.goal_met([short]) is None
    assert plain.next([short]) == plain.next([])
    assert plain.summary([short]).best is None
