"""Sweeps: grid, list and random."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategy_play import completed, config, play, scripted, strategy

from wpfsm.fsm.strategies import StrategyError

grids = st.dictionaries(
    st.sampled_from(["lr", "batch", "dropout", "optim"]),
    st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    min_size=1,
    max_size=3,
)


@given(grids)
def test_a_grid_is_the_product_in_the_order_of_the_file(parameters):
    """Every combination once, the last parameter varying fastest."""
    proposals, _ = play(strategy({"type": "sweep", "parameters": parameters}), completed(0.5))

    expected = [
        dict(zip(parameters, point, strict=True)) for point in itertools.product(*parameters.values())
    ]

    assert [dict(each.params) for each in proposals] == expected


def test_a_sweep_goes_on_after_a_failure():
    """One trial that fails does not keep the others from running; the best of the rest is named."""
    what = strategy({"type": "sweep", "parameters": {"lr": [1e-4, 5e-5, 2e-5]}})

    proposals, rows = play(what, scripted(("completed", 0.5), ("failed", None), ("completed", 0.4)))

    assert [each.label for each in proposals] == ["lr=0.0001", "lr=5e-05", "lr=2e-05"]
    standing = what.summary(rows)
    assert standing.best == 3
    assert "2 of 3 trials completed" in standing.text
    assert "trial 3 (lr=2e-05) with loss 0.4" in standing.text


def test_a_sweep_needs_no_metric():
    """Without a metric every trial runs, and none is best."""
    what = strategy({"type": "sweep", "parameters": {"lr": [1, 2]}}, None)

    proposals, rows = play(what, completed(None))

    assert len(proposals) == 2
    assert what.summary(rows).best is None


def test_a_list_runs_as_written():
    """The trials of a list keep their order and their own parameters."""
    trials = [{"lr": 1e-4}, {"lr": 1e-5, "batch": 4}, {}]

    proposals, _ = play(strategy({"type": "sweep", "method": "list", "trials": trials}), completed(0.5))

    assert [dict(each.params) for each in proposals] == trials


def test_a_list_of_parameters_pairs_their_values():
    """The first of each, then the second of each: no combination that nobody asked for."""
    parameters = {"lr": [1e-4, 1e-5], "batch": {"values": [4, 8]}}

    proposals, _ = play(
        strategy({"type": "sweep", "method": "list", "parameters": parameters}), completed(0.5)
    )

    assert [dict(each.params) for each in proposals] == [{"lr": 1e-4, "batch": 4}, {"lr": 1e-5, "batch": 8}]


def test_a_random_search_is_its_seed():
    """The same seed gives the same trials, another seed others, and a higher count only adds some."""

    def labels(seed, count):
        parameters = {"lr": {"min": 1e-5, "max": 1e-1, "scale": "log"}, "batch": {"values": [4, 8, 16]}}
        what = strategy(
            {"type": "sweep", "method": "random", "parameters": parameters, "count": count, "seed": seed}
        )
        return [each.label for each in play(what, completed(0.5))[0]]

    assert labels(1, 6) == labels(1, 6)
    assert labels(1, 6) == labels(1, 9)[:6]
    assert labels(1, 6) != labels(2, 6)


def test_a_random_search_of_a_small_space_ends_with_the_space():
    """Four combinations are four trials, however many were asked for."""
    what = strategy(
        {"type": "sweep", "method": "random", "parameters": {"a": [1, 2], "b": [True, False]}, "count": 50}
    )

    assert what.total() == 4
    assert len(play(what, completed(0.5))[0]) == 4


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "method grid needs parameters"),
        ({"parameters": {}}, "method grid needs parameters"),
        ({"parameters": {"lr": []}}, r"lr(.|\n)*at least 1"),
        ({"parameters": {"lr": [1, 1]}}, "twice"),
        ({"parameters": {"lr": {"min": 1, "max": 2}}}, "list of values for lr"),
        ({"parameters": {"lr": [1]}, "count": 3}, "takes no count"),
        ({"parameters": {"lr": [1]}, "trials": [{"lr": 1}]}, "takes parameters, not trials"),
        ({"trials": [{"lr": 1}]}, "say method: list"),
        ({"parameters": {"a": list(range(40)), "b": list(range(40))}}, "1600 trials"),
        ({"method": "list"}, "needs trials"),
        ({"method": "list", "trials": []}, "needs trials"),
        ({"method": "list", "parameters": {"lr": [1]}, "trials": [{"lr": 1}]}, "not both"),
        (
            {"method": "list", "parameters": {"lr": [1, 2], "batch": [4]}},
            "2 of lr, 1 of batch; .*method: grid",
        ),
        ({"method": "list", "parameters": {"lr": {"min": 1, "max": 2}}}, "list of values for lr"),
        ({"method": "list", "trials": [{"lr": 1}], "count": 1}, "takes no count"),
        ({"method": "random", "parameters": {"lr": [1]}}, "needs count"),
        ({"method": "bayes", "count": 3}, "needs parameters"),
        ({"method": "random", "parameters": {"lr": [1]}, "count": 0}, "greater than or equal to 1"),
        ({"method": "grud", "parameters": {"lr": [1]}}, "grid"),
        ({"parameters": {"lr": [1]}, "sead": 1}, "sead"),
    ],
)
def test_a_sweep_that_cannot_work_is_refused(section, message):
    """Each mistake in the section says what to change."""
    with pytest.raises(ValidationError, match=message):
        config({"type": "sweep", **section})


def test_a_list_with_the_same_trial_twice_is_refused():
    """Two trials that come to the same job are found, also when one only repeats the job's own value."""
    with pytest.raises(StrategyError, match="trials 1 and 3 are the same"):
        strategy({"type": "sweep", "method": "list", "trials": [{}, {"lr": 2}, {"lr": 1}]}, base={"lr": 1})
