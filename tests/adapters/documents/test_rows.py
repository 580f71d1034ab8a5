"""What the documents read from the rows: the best trial, and the mean of what was measured again."""

from __future__ import annotations

import pytest

from wpfsm.adapters.documents.rows import averaged, best_of, instances, phases_of
from wpfsm.fsm.records import JSON, Loop, State, Trial


def loop(**members: JSON) -> Loop:
    return Loop("l-1", "l", State.RUNNING, "local", "us-east-1", 0.0, 0.0, members)


def trial(number: int, metric: float | None, **more: object) -> Trial:
    return Trial("l-1", number, {}, "", **{"state": "completed", "metric": metric, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(("goal", "number"), [("minimize", 2), ("maximize", 3)])
def test_the_best_is_the_goals(goal: str, number: int) -> None:
    """A trial without a metric, a smoke trial and one that failed are never best."""
    trials = [
        trial(1, None), trial(2, 0.2), trial(3, 0.9), trial(4, -9.0, smoke=True), trial(5, 99.0, smoke=True),
        trial(6, -9.0, state="failed"), trial(7, 99.0, state="failed"),
    ]  # fmt: skip
    best = best_of(loop(metric={"goal": goal}), trials)
    assert best is not None
    assert best.number == number


def test_without_a_goal_or_a_measurement_there_is_no_best() -> None:
    """Nothing is compared then."""
    assert best_of(loop(), [trial(1, 0.5)]) is None
    assert best_of(loop(metric={"goal": "minimize"}), [trial(1, None)]) is None


def test_a_trial_that_was_repeated_counts_with_its_mean() -> None:
    """One lucky run is not the best of those that were measured again."""
    trials = [trial(1, 0.1), trial(2, 0.4), trial(3, 0.9, repeat_of=1), trial(4, None, repeat_of=1)]
    assert [(t.number, t.metric) for t in averaged(trials)] == [(1, pytest.approx(0.5)), (2, 0.4)]
    best = best_of(loop(metric={"goal": "minimize"}), trials)
    assert best is not None
    assert best.number == 2


def test_one_strategy_is_one_phase() -> None:
    """A list of strategies is a list of phases, and one alone is one."""
    assert phases_of(loop(strategy={"type": "sweep"})) == [{"type": "sweep"}]
    assert phases_of(loop(strategy=[{"type": "smoke"}, {"type": "sweep"}])) == [
        {"type": "smoke"},
        {"type": "sweep"},
    ]
    assert phases_of(loop()) == []


def test_a_pool_has_one_instance_unless_it_says_more() -> None:
    """The number decides what every second costs."""
    assert instances(loop()) == 1
    assert instances(loop(pool={"instance_count": 4})) == 4
