"""A baseline against its variants."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from strategy_play import ACCURACY, config, play, strategy

from wpfsm.fsm.strategies import StrategyError

WITHOUT = {"name": "no-dropout", "set": {"dropout": 0}}


def ablation(**more):
    return {"type": "ablate", "variants": [WITHOUT], **more}


def by_label(**values):
    """Outcomes by label: the n-th run of a label gets the n-th value."""
    queues = {label.replace("_", "-"): list(each) for label, each in values.items()}

    def outcome(proposal, index):
        value = queues[proposal.label][proposal.repeat]
        return ("failed", None) if value is None else ("completed", value)

    return outcome


def compare(section, goal=None, **values):
    what = strategy(section) if goal is None else strategy(section, goal)
    _, rows = play(what, by_label(**values))
    return what.summary(rows).comparisons[0]


def test_repeats_are_interleaved_and_share_their_seeds():
    """Baseline and variants take turns, and in each repeat have the same seed, counted up from the job's own."""
    section = ablation(baseline={"dropout": 0.1}, repeats=2, seed_parameter="seed")
    what = strategy(section)

    proposals, _ = play(what, lambda proposal, index: ("completed", 0.5))

    assert [(each.label, each.repeat, dict(each.params)) for each in proposals] == [
        ("baseline", 0, {"dropout": 0.1, "seed": 7}),
        ("no-dropout", 0, {"dropout": 0, "seed": 7}),
        ("baseline", 1, {"dropout": 0.1, "seed": 8}),
        ("no-dropout", 1, {"dropout": 0, "seed": 8}),
    ]
    assert what.total() == 4


@pytest.mark.parametrize(
    ("variant", "verdict"),
    [
        ([0.50, 0.52, 0.51], "within noise"),
        ([0.30, 0.31, 0.32], "better"),
        ([0.70, 0.71, 0.72], "worse"),
        ([0.30, 0.80, 0.10], "within noise"),
    ],
)
def test_the_verdict_asks_whether_noise_explains_the_difference(variant, verdict):
    """Far from the baseline's spread is better or worse; near it, or spread widely itself, is noise."""
    found = compare(
        ablation(repeats=3, seed_parameter="seed"), baseline=[0.50, 0.51, 0.52], no_dropout=variant
    )

    assert found.verdict == verdict
    assert verdict in found.text
    assert (found.low <= 0 <= found.high) == (verdict == "within noise")
    assert found.runs == 3


def test_more_is_better_when_the_goal_says_so():
    """The verdict follows the metric's goal."""
    runs = {"baseline": [0.50, 0.51, 0.52], "no_dropout": [0.70, 0.71, 0.72]}

    assert compare(ablation(repeats=3), **runs).verdict == "worse"
    assert compare(ablation(repeats=3), ACCURACY, **runs).verdict == "better"


def test_one_run_of_each_leaves_the_noise_unknown():
    """Without repeats the difference is shown, and no verdict is made of it."""
    found = compare(ablation(), baseline=[0.50], no_dropout=[0.40])

    assert found.verdict == "noise unknown"
    assert "0.4 against 0.5 (-0.1)" in found.text
    assert "two completed runs of each" in found.text
    assert found.low is None


def test_identical_repeats_leave_the_noise_unknown():
    """Repeats without a seed of their own measure nothing; the text names the key to set."""
    found = compare(ablation(repeats=2), baseline=[0.50, 0.50], no_dropout=[0.40, 0.40])

    assert found.verdict == "noise unknown"
    assert "seed_parameter" in found.text


def test_failed_runs_do_not_count():
    """A repeat that failed leaves too few for a verdict, rather than a verdict on what is left."""
    found = compare(ablation(repeats=2), baseline=[0.50, 0.51], no_dropout=[None, 0.4])

    assert (found.runs, found.verdict) == (1, "noise unknown")


@pytest.mark.parametrize(
    ("baseline", "variant", "missing"), [([None], [0.4], "baseline"), ([0.5], [None], "no-dropout")]
)
def test_without_a_metric_there_is_no_result(baseline, variant, missing):
    """The comparison names the side that has not reported."""
    found = compare(ablation(), baseline=baseline, no_dropout=variant)

    assert found.verdict == "no result"
    assert f"{missing} has not reported loss" in found.text


def test_a_smoke_trial_is_no_repeat():
    """The smoke trial of the baseline does not enter its mean."""
    what = strategy(ablation(smoke={"epochs": 1}))

    _, rows = play(what, lambda proposal, index: ("completed", 99.0 if proposal.smoke else 0.5))

    assert len(rows) == 3
    assert what.summary(rows).comparisons[0].baseline_mean == 0.5


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"variants": []}, "at least 1"),
        ({"variants": [WITHOUT, WITHOUT]}, "two variants are called 'no-dropout'"),
        ({"variants": [{"name": "baseline", "set": {"a": 1}}]}, "two variants are called 'baseline'"),
        ({"variants": [{"name": "x", "set": {}}]}, "at least 1"),
        (
            {"variants": [{"name": "x", "set": {"seed": 1}}], "seed_parameter": "seed"},
            "sets the seed parameter",
        ),
        ({"variants": [WITHOUT], "repeats": 0}, "greater than or equal to 1"),
        ({"variants": [WITHOUT], "repeat": 2}, "repeat"),
    ],
)
def test_an_ablation_that_cannot_work_is_refused(section, message):
    """Each mistake in the section says what to change."""
    with pytest.raises(ValidationError, match=message):
        config({"type": "ablate", **section})


@pytest.mark.parametrize(
    ("section", "base", "message"),
    [
        (ablation(), {"dropout": 0}, "'no-dropout' runs the same job as 'baseline'"),
        (
            ablation(variants=[WITHOUT, {"name": "again", "set": {"dropout": 0}}]),
            {},
            "'again' runs the same job",
        ),
        (ablation(seed_parameter="seed"), {"seed": "x"}, "must be a whole number"),
        (ablation(seed_parameter="seed"), {"seed": True}, "must be a whole number"),
    ],
)
def test_an_ablation_that_compares_nothing_is_refused(section, base, message):
    """A variant that changes nothing and a seed that cannot be counted up are found before any job runs."""
    with pytest.raises(StrategyError, match=message):
        strategy(section, base=base)


def test_an_ablation_needs_a_metric():
    """Variants are compared by a number."""
    with pytest.raises(StrategyError, match="ablate needs a metric"):
        strategy(ablation(), None)
