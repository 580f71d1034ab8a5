"""Asynchronous successive halving, one lane and several."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from strategy_play import LOSS, row, strategy

from wpfsm.fsm.strategies import StrategyError
from wpfsm.fsm.strategies.registry import build
from wpfsm.fsm.strategies.sweep import SweepConfig

SECTION = {
    "type": "sweep", "method": "asha", "parameters": {"lr": [1, 2, 3, 4, 5, 6, 7, 8, 9]}, "count": 9,
    "resource": {"name": "epochs", "min": 1, "max": 9}, "reduction": 3,
}  # fmt: skip


def test_the_best_third_goes_on_with_three_times_the_resource() -> None:
    """Nine configurations for one epoch, three for three, one for nine: the best of all."""
    what, rows = strategy(SECTION), []
    while asked := what.next(rows):
        rows.append(row(len(rows) + 1, asked, ("completed", 1 / asked.params["lr"])))
    by_rung = {
        epochs: sorted(r.params["lr"] for r in rows if r.params["epochs"] == epochs) for epochs in (1, 3, 9)
    }
    assert by_rung[1] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert len(by_rung[3]) == 3
    assert 9 in by_rung[3]
    assert by_rung[9] == [9]
    assert len(rows) == what.at_most()


def test_a_promotion_waits_for_no_full_rung() -> None:
    """As soon as three have ended the best of them is promoted, while others of its rung still run."""
    what, rows = strategy(SECTION), []
    for metric in (0.3, 0.1, 0.2):
        rows.append(row(len(rows) + 1, what.next(rows), ("running", None)))
        rows[-1] = row(len(rows), what.next(rows[:-1]), ("completed", metric))
    running = row(
        4, what.next([*rows[:2], row(3, what.next(rows[:2]), ("running", None))]), ("running", None)
    )
    asked = what.next([*rows, running])
    assert asked.params == {"lr": rows[1].params["lr"], "epochs": 3}
    assert asked.base == rows[1].number


def test_what_only_running_trials_can_bring_is_waited_for() -> None:
    """Every configuration has begun, and none has ended: there is no next trial, and no end."""
    what, rows = strategy(SECTION), []
    while asked := what.next(rows):
        rows.append(row(len(rows) + 1, asked, ("running", None)))
    assert len(rows) == 9
    assert what.summary(rows).ended is None


def test_failed_and_unmeasured_trials_are_never_promoted() -> None:
    """They count as ended, and the others are ranked without them."""
    what, rows = strategy(SECTION), []
    for outcome in (("failed", None), ("completed", None), ("completed", 5.0)):
        rows.append(row(len(rows) + 1, what.next(rows), outcome))
    assert what.next(rows).params == {"lr": rows[2].params["lr"], "epochs": 3}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"resource": None}, "needs a resource"),
        ({"resource": {"name": "lr", "min": 1, "max": 3}}, "is the resource"),
        ({"method": "random"}, "goes with method asha"),
        ({"repeats": 2}, "leave repeats"),
        ({"count": None}, "needs count"),
        ({"resource": {"name": "epochs", "min": 3, "max": 1}}, "is below min"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, object], said: str) -> None:
    """A section that asha cannot run says what to change."""
    with pytest.raises(ValidationError, match=said):
        SweepConfig.model_validate({**SECTION, **changed})


def test_without_a_metric_nobody_can_be_promoted() -> None:
    """The metric decides."""
    with pytest.raises(StrategyError, match="needs a metric"):
        build(SweepConfig.model_validate(SECTION), None, {})
    assert LOSS.metric
