"""Plays a strategy against scripted outcomes, as a loop would, without a loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies import Goal, Point, Strategy, StrategyConfig, TrialRow, build

LOSS = Goal("loss", "minimize")
ACCURACY = Goal("accuracy", "maximize")
BASE: Mapping[str, Value] = {"epochs": 3, "lr": 1e-3, "seed": 7}

Outcome = tuple[str, float | None]
"""A trial's final state and metric."""

_CONFIG: TypeAdapter[Any] = TypeAdapter(StrategyConfig)


def config(section: Mapping[str, Any]) -> Any:
    """The `strategy` section, validated as the loop file validates it."""
    return _CONFIG.validate_python(dict(section))


def strategy(
    section: Mapping[str, Any], goal: Goal | None = LOSS, base: Mapping[str, Value] = BASE
) -> Strategy:
    return build(config(section), goal, base)


def row(number: int, proposal: Point, outcome: Outcome, fingerprint: str | None = None) -> TrialRow:
    """The row that a finished trial leaves."""
    state, metric = outcome
    return TrialRow(
        number, proposal.params, proposal.label, proposal.smoke, state, metric, fingerprint, proposal.repeat, proposal.source
    )  # fmt: skip


def completed(metric: float | None) -> Callable[[Point, int], Outcome]:
    """Every trial completes with this metric."""
    return lambda proposal, index: ("completed", metric)


def scripted(*outcomes: Outcome) -> Callable[[Point, int], Outcome]:
    """The n-th trial ends as the n-th outcome says; beyond the last, as the last."""
    return lambda proposal, index: outcomes[min(index, len(outcomes) - 1)]


def play(
    what: Strategy,
    outcome: Callable[[Point, int], Outcome],
    rows: Sequence[TrialRow] = (),
    bound: int = 300,
) -> tuple[list[Point], list[TrialRow]]:
    """Runs trials until there is no next one; fails when that takes more than `bound` trials."""
    proposals: list[Point] = []
    history = list(rows)
    while (proposal := what.next(history)) is not None:
        assert len(history) < bound, "the strategy does not end"
        proposals.append(proposal)
        history.append(row(len(history) + 1, proposal, outcome(proposal, len(history))))
    return proposals, history
