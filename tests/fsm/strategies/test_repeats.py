"""The same point once more, to tell a difference from the noise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.records import Trial
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.repeats import WithRepeats, again, group_of, merged, to_confirm, unfinished

LOSS = Goal("loss", "minimize")


def trial(number: int, metric: float | None = None, **more: Any) -> Trial:
    """A completed trial, unless said otherwise."""
    return Trial(
        "lr", number, **{"params": {}, "label": f"t{number}", "state": "completed", "metric": metric, **more}
    )


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5))
def test_a_point_is_one_row_with_the_mean_of_its_repeats(metrics: list[float]) -> None:
    """However often it was run."""
    trials = [trial(n, metric, repeat_of=None if n == 1 else 1) for n, metric in enumerate(metrics, start=1)]
    (row,) = merged(trials)

    assert row.number == 1
    assert row.metric == pytest.approx(sum(metrics) / len(metrics))


def test_a_point_of_which_a_repeat_runs_is_running() -> None:
    """Its mean is not yet its result."""
    (row,) = merged([trial(1, 0.5), trial(2, repeat_of=1, state="running")])

    assert row.state == "running"


def test_a_repeat_is_the_same_point_under_another_seed() -> None:
    """The seed counts up from the first one's, the name says which repeat it is, and nothing of the end is kept."""
    config = WithRepeats(repeats=3, seed_parameter="seed")
    first = trial(1, 0.5, params={"lr": 0.1}, label="lr=0.1", verdict="kept", taken_from=7, proposal=2)
    second = again(first, [first], config, {"seed": 40})
    third = again(second, [first, second], config, {"seed": 40})

    assert [each.params for each in (second, third)] == [{"lr": 0.1, "seed": 41}, {"lr": 0.1, "seed": 42}]
    assert [each.label for each in (second, third)] == ["lr=0.1 #2", "lr=0.1 #3"]
    assert {each.repeat_of for each in (second, third)} == {1}
    assert (second.state, second.metric, second.verdict, second.taken_from, second.proposal) == (
        "pending", None, "", None, None,
    )  # fmt: skip
    assert group_of(third, [first, second, third, trial(4)]) == [first, second, third]


def test_without_a_seed_a_repeat_has_the_same_values() -> None:
    """What makes it differ is then the script's own chance."""
    first = trial(1, 0.5, params={"lr": 0.1})

    assert again(first, [first], WithRepeats(repeats=2), {}).params == {"lr": 0.1}


@pytest.mark.parametrize(
    ("last", "more"),
    [(trial(1, 0.5), True), (trial(1, state="failed"), False), (trial(1, 0.5, smoke=True), False)],
)
def test_a_trial_is_repeated_while_it_completes(last: Trial, more: bool) -> None:
    """A failure would only be paid for again, and a smoke trial measures nothing."""
    assert unfinished(last, [last], WithRepeats(repeats=2)) == more
    assert not unfinished(last, [last], WithRepeats())
    assert not unfinished(last, [last], object())


def test_the_best_is_confirmed_before_it_is_called_so() -> None:
    """And the second best where the two are compared; then nothing is left to confirm."""
    config = WithRepeats(confirm=1)
    trials = [trial(1, 0.9), trial(2, 0.1), trial(3, 0.2)]

    first = to_confirm(trials, config, LOSS, runner_up=True)
    assert first is not None
    assert first.number == 2
    trials.append(trial(4, 0.1, repeat_of=2))
    second = to_confirm(trials, config, LOSS, runner_up=True)
    assert second is not None
    assert second.number == 3
    assert to_confirm(trials, config, LOSS, runner_up=False) is None
    assert to_confirm(trials, config, None, runner_up=True) is None
