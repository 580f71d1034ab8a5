"""Asynchronous successive halving: many configurations briefly, the better ones for longer.

The rule is that of ASHA (Li et al., MLSys 2020): a configuration runs with a small resource first (epochs, steps); of
those that have ended in a rung, one in `reduction` goes on to the next one with `reduction` times as much: each time
that so many more have ended, the best that has not gone on yet. Nobody waits for a rung to be full: whoever asks gets
the highest promotion that is due, else a new configuration. So lanes are never idle while there are configurations,
and one lane alone runs the same rule in turn. (The paper promotes whoever is in the best third at the moment, which
may become any number; here the number is bounded, and with it what a plan can promise.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import Point, Standing, TrialRow, describe, label_for
from wpfsm.fsm.strategies.metrics import Goal, finite
from wpfsm.fsm.strategies.space import Space


class Resource(BaseModel):
    """What a rung gives more of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="The hyperparameter, such as `epochs` or `max_steps`.")
    min: int = Field(ge=1, description="Its value in the first rung.")
    max: int = Field(
        ge=1,
        description="The most that it ever is; the last rung is the largest `min * reduction^n` within it.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Resource:
        if self.max < self.min:
            raise ValueError(f"resource: max {self.max} is below min {self.min}")
        return self


@dataclass(frozen=True)
class Rungs:
    """The resource of each rung, and how many are promoted.

    Attributes:
        resource: The hyperparameter and its bounds.
        reduction: One of so many is promoted, with so many times the resource.
    """

    resource: Resource
    reduction: int

    def values(self) -> list[int]:
        """The resource of each rung, the lowest first."""
        steps = (self.resource.min * self.reduction**n for n in itertools.count())
        return list(itertools.takewhile(lambda value: value <= self.resource.max, steps))


class Asha:
    """Promotes what is due, else begins a new configuration."""

    def __init__(
        self, space: Space, count: int, seed: int, goal: Goal, rungs: Rungs, *, carries: bool = False
    ) -> None:
        """Keeps the configuration.

        Args:
            space: The values that each parameter may take.
            count: How many configurations begin; a smaller space has fewer.
            seed: What they are drawn with.
            goal: The metric that decides who is promoted.
            rungs: The resource of each rung.
            carries: A promoted trial continues from the checkpoint of its last rung.
        """
        self._points = list(itertools.islice(space.draws(seed), count))
        self._goal = goal
        self._name = rungs.resource.name
        self._values = rungs.values()
        self._reduction = rungs.reduction
        self._carries = carries

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The highest promotion that is due; else the next configuration; `None` while only running ones could bring one."""
        full = [row for row in rows if not row.smoke]
        for rung in range(len(self._values) - 2, -1, -1):
            if promoted := self._promotion(rung, full):
                params = {**self._point(promoted), self._name: self._values[rung + 1]}
                return Point(params, label_for(params), carry_checkpoint=self._carries, base=promoted.number)
        begun = {label_for(self._point(row)) for row in full}
        fresh = next((point for point in self._points if label_for(point) not in begun), None)
        return None if fresh is None else self._first(fresh)

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Never: the search runs until nothing is left to promote."""
        return None

    def total(self) -> int | None:
        """Unknown where there are rungs: the outcomes decide."""
        return len(self._points) if len(self._values) == 1 else None

    def at_most(self) -> int:
        """Every configuration in the first rung, and in each further one what can be promoted at most."""
        return sum(len(self._points) // self._reduction**rung for rung in range(len(self._values)))

    def expected(self) -> int:
        """As many: the results decide."""
        return self.at_most()

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """How many completed, the best one, and how far each rung is."""
        ended = None if self.next(rows) else f"nothing is left to promote ({self._rungs_in_words(rows)})"
        return describe(rows, self._goal, ended)

    def preview(self) -> Sequence[Point]:
        """The first rung: who is promoted, its results decide."""
        return [self._first(point) for point in self._points[:1]]

    def _first(self, point: Mapping[str, Value]) -> Point:
        params = {**point, self._name: self._values[0]}
        return Point(params, label_for(params))

    def _promotion(self, rung: int, rows: Sequence[TrialRow]) -> TrialRow | None:
        """The best of a rung that is to go on, and has not yet."""
        here = [row for row in rows if row.params.get(self._name) == self._values[rung]]
        ended = [row for row in here if row.state != "running"]
        known = [row for row in ended if row.state == "completed" and finite(row.metric) is not None]
        sign = 1 if self._goal.direction == "minimize" else -1
        ranked = sorted(known, key=lambda row: (sign * (row.metric or 0.0), row.number))
        above = {label_for(self._point(row)) for row in rows if self._is_above(row, rung)}
        if len(above) >= len(ended) // self._reduction:
            return None
        return next((row for row in ranked if label_for(self._point(row)) not in above), None)

    def _is_above(self, row: TrialRow, rung: int) -> bool:
        value = row.params.get(self._name)
        return isinstance(value, int) and value > self._values[rung]

    def _point(self, row: TrialRow) -> dict[str, Value]:
        """The configuration of a row, whatever its rung."""
        return {name: value for name, value in row.params.items() if name != self._name}

    def _rungs_in_words(self, rows: Sequence[TrialRow]) -> str:
        counts: Iterator[str] = (
            f"{sum(row.params.get(self._name) == value for row in rows if not row.smoke)} with {self._name}={value}"
            for value in self._values
        )
        return ", ".join(counts)
