"""`until`: train again until a number is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import (
    Point,
    Standing,
    Strategy,
    StrategyError,
    TrialRow,
    best,
    describe,
)
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.repeats import WithRepeats
from wpfsm.fsm.strategies.smoke import WithSmoke
from wpfsm.fsm.strategies.space import Overrides
from wpfsm.fsm.strategies.sweep import MAX_TRIALS, Search, search, trial_list
from wpfsm.fsm.strategies.target import MetricTarget
from wpfsm.fsm.strategies.trial_list import TrialList

CONTINUED_TRIALS = 10
"""How often the same configuration is continued when the loop file gives no `max_trials`."""


class UntilConfig(WithSmoke, WithRepeats):
    """The `strategy` section that trains until a target is met."""

    type: Literal["until"] = "until"
    target: str = Field(description="`eval_loss < 0.30`, `accuracy >= 90%`.")
    patience: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Trials in a row without a new best metric, after which the loop gives up."
    )
    propose: list[Overrides] | Search | None = Field(
        default=None,
        description="A list of trials, or a search; without it the same configuration is continued.",
    )
    carry_checkpoint: bool | None = Field(
        default=None,
        description="The script continues from the checkpoint in the pool's persistent cache. On when nothing"
        " is proposed.",
    )
    max_trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)] | None = Field(
        default=None, description="The most trials."
    )

    @field_validator("target")
    @classmethod
    def _target_reads(cls, text: str) -> str:
        MetricTarget.parse(text)
        return text

    @model_validator(mode="after")
    def _something_changes(self) -> UntilConfig:
        if isinstance(self.propose, Search) and self.propose.method == "asha":
            raise ValueError(
                "method asha promotes until nothing is left: it is a sweep, and proposes to no until"
            )
        if self.propose == []:
            raise ValueError("propose is an empty list: leave it out to continue the same configuration")
        if (self.propose is None or self.carry_checkpoint) and (self.repeats > 1 or self.confirm):
            raise ValueError(
                "a trial that continues a checkpoint cannot be repeated: leave repeats and confirm out"
            )
        if self.propose is None and self.carry_checkpoint is False:
            raise ValueError("nothing changes between the trials: propose some, or leave carry_checkpoint on")
        return self

    def names(self) -> set[str]:
        """The hyperparameters that it varies."""
        if isinstance(self.propose, Search):
            return self.propose.names()
        return set[str]().union(*(self.propose or []))


class Until:
    """Runs another strategy's trials until one of them meets the target, or patience is at its end."""

    def __init__(self, config: UntilConfig, goal: Goal | None, base: Mapping[str, Value]) -> None:
        """Checks the target against the loop's metric.

        Raises:
            StrategyError: There is no metric, it has another name, or its goal points the other way.
        """
        self._config = config
        self._target = MetricTarget.parse(config.target)
        self._goal = _checked(self._target, goal)
        self._inner = _inner(config, self._goal, base)

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The next trial, unless the target is met or the loop has given up."""
        if self._ended(rows):
            return None
        proposal = self._inner.next(rows)
        return proposal and self._carried(proposal)

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:
        """The first completed trial that meets the target."""
        completed = [row for row in rows if row.state == "completed" and not row.smoke]
        reported = [row.metric for row in completed]
        for row in completed:
            if self._target.met(row.metric, reported):
                return f"trial {row.number} ({row.label}) met {self._target} with {row.metric:.6g}"
        return None

    def total(self) -> int | None:
        """Unknown: the target decides."""
        return None

    def at_most(self) -> int:
        """`max_trials`, or what the proposals come to."""
        return min(self._config.max_trials or MAX_TRIALS, self._inner.at_most())

    def expected(self) -> int:
        """As many: the results decide."""
        return self.at_most()

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """The best trial, and how it stands to the target."""
        standing = describe(rows, self._goal, self._ended(rows) or self._inner.summary(rows).ended)
        outcome = self._ended(rows) or f"{self._target} is not met"
        return replace(standing, text=f"{standing.text}; {outcome}")

    def preview(self) -> Sequence[Point]:
        """The trials that are known beforehand, as if none met the target."""
        return [self._carried(each) for each in self._inner.preview()[: self.at_most()]]

    def _ended(self, rows: Sequence[TrialRow]) -> str | None:
        full = [row for row in rows if not row.smoke]
        if met := self.goal_met(rows):
            return met
        patience, stale = self._config.patience, _without_improvement(full, self._goal)
        if patience is not None and stale >= patience:
            return f"{self._target} is not met: no better {self._goal.metric} in {stale} trials, patience is at its end"
        if len(full) >= self.at_most():
            return f"{self._target} is not met after {len(full)} trials"
        return None

    def _carried(self, proposal: Point) -> Point:
        carry = self._config.carry_checkpoint
        return replace(proposal, carry_checkpoint=self._config.propose is None if carry is None else carry)


def _checked(target: MetricTarget, goal: Goal | None) -> Goal:
    if goal is None:
        raise StrategyError(f"the target {target} needs a metric of that name in the loop file")
    if goal.metric != target.metric:
        raise StrategyError(f"the target is on {target.metric!r}, but the loop's metric is {goal.metric!r}")
    if goal.direction != target.direction:
        raise StrategyError(
            f"the target {target} asks to {target.direction}, but the metric's goal is {goal.direction}"
        )
    return goal


def _inner(config: UntilConfig, goal: Goal, base: Mapping[str, Value]) -> Strategy:
    match config.propose:
        case Search() as proposed:
            return search(proposed, goal, base)
        case list() as trials:
            return TrialList(trial_list(list(trials), base), goal)
        case _:
            times = config.max_trials or CONTINUED_TRIALS
            return TrialList([Point({}, "continued", repeat=n) for n in range(times)], goal)


def _without_improvement(rows: Sequence[TrialRow], goal: Goal) -> int:
    """Finished trials since the best one, or since the beginning when there is none."""
    finished = [row for row in rows if row.state != "running"]
    winner = best(finished, goal)
    return sum(winner is None or row.number > winner.number for row in finished)
