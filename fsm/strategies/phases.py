"""Phases: several strategies in order, on one pool. Each starts from what those before it have found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import (
    PREVIEW,
    Point,
    Standing,
    Strategy,
    TrialRow,
    best,
    describe,
)
from wpfsm.fsm.strategies.metrics import Goal

From = Literal["best", "last"]


class PhaseKeys(BaseModel):
    """What a strategy says besides when it is one of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: From | None = Field(
        default=None,
        alias="from",
        description="What the phase starts from, hyperparameters and source: the `best` trial of the phases before "
        "it, or the `last` one that completed. `last` behind `fix`, else `best`.",
    )
    on_miss: Literal["end", "continue"] = Field(
        default="end",
        description="When the phase ends without its goal (`fix` not mended, `until` not met, a search without a "
        "completed trial): `end` the loop, or `continue` with the next phase.",
    )


@dataclass(frozen=True)
class Phase:
    """One strategy of a list.

    Attributes:
        kind: Its `type`.
        start: What it starts from; `None` for the default.
        goes_on: The loop goes on when the phase misses its goal.
        build: Makes its strategy for the hyperparameters that it starts from.
    """

    kind: str
    start: From | None
    goes_on: bool
    build: Callable[[Mapping[str, Value]], Strategy]


def default_start(before: str) -> From:
    """What a phase starts from when it does not say: behind `fix` the last trial, else the best one."""
    return "last" if before == "fix" else "best"


class Phases:
    """Runs one strategy after the other, each on the rows of its own phase."""

    def __init__(self, phases: Sequence[Phase], goal: Goal | None, base: Mapping[str, Value]) -> None:
        """Keeps the phases.

        Args:
            phases: At least one.
            goal: What is best, if anything is.
            base: The job's own hyperparameters.

        Raises:
            StrategyError: One of them cannot work with this metric or these hyperparameters.
        """
        self._phases = tuple(phases)
        self._goal = goal
        self._given = dict(base)
        self._plain = [phase.build(base) for phase in phases]

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """What the first phase that is not over asks for, on top of what it starts from."""
        index = self._current(rows)
        if index is None:
            return None
        start = self.base_of(index, rows)
        if self._phases[index].kind == "ask" and rows:
            return None  # what was found before is there to be looked at
        proposal = self._strategy(index, start).next(self._asked(index, rows))
        if proposal is None:
            return None
        params = {**(start.params if start else {}), **proposal.params}
        return replace(
            proposal, params=params, phase=index + 1, base=proposal.base or (start.number if start else None)
        )

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:
        """The goal of the last phase, once the loop is there."""
        last = len(self._phases) - 1
        return self._met(last, rows) if self.reached(rows) == last else None

    def total(self) -> int | None:
        """The sum; unknown when one of them is."""
        totals = [strategy.total() for strategy in self._plain]
        return None if None in totals else sum(total or 0 for total in totals)

    def at_most(self) -> int:
        """The sum."""
        return sum(strategy.at_most() for strategy in self._plain)

    def expected(self) -> int:
        """The sum."""
        return sum(strategy.expected() for strategy in self._plain)

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """The best of all, and how the phase stands that the loop has reached."""
        index = self.reached(rows)
        standing = self._strategy(index, self.base_of(index, rows)).summary(self._own(index, rows))
        over = self._current(rows) is None
        ended = (self._met(index, rows) or standing.ended or "every phase is over") if over else None
        text = f"phase {index + 1} of {len(self._phases)} ({self._phases[index].kind}): {standing.text}"
        return replace(describe(rows, self._goal, ended), text=text, comparisons=standing.comparisons)

    def preview(self) -> Sequence[Point]:
        """What each phase knows beforehand, as if nothing were found before it."""
        return self.previews()[:PREVIEW]

    def previews(self) -> list[Point]:
        """As `preview`, up to 50 for each phase."""
        return [
            replace(each, phase=index + 1)
            for index, strategy in enumerate(self._plain)
            for each in strategy.preview()
        ]

    def reached(self, rows: Sequence[TrialRow]) -> int:
        """The index of the phase that is under way, or at which the loop has ended."""
        for index in range(len(self._phases)):
            if not self._over(index, rows) or self._ends_here(index, rows):
                return index
        return len(self._phases) - 1

    def base_of(self, index: int, rows: Sequence[TrialRow]) -> TrialRow | None:
        """The trial that a phase starts from; `None` for the job as the loop file gives it."""
        before = [row for row in rows if row.phase <= index]
        completed = [row for row in before if row.state == "completed" and not row.smoke]
        if not completed:
            return None
        start = self._phases[index].start or default_start(self._phases[index - 1].kind)
        winner = best(completed, self._goal) if start == "best" else None
        return winner or completed[-1]

    def _current(self, rows: Sequence[TrialRow]) -> int | None:
        """The index of the phase that has a next trial; `None` when the loop is over."""
        index = self.reached(rows)
        return None if self._over(index, rows) else index

    def _over(self, index: int, rows: Sequence[TrialRow]) -> bool:
        if self._met(index, rows):
            return True
        strategy = self._strategy(index, self.base_of(index, rows))
        return strategy.summary(self._asked(index, rows)).ended is not None

    def _ends_here(self, index: int, rows: Sequence[TrialRow]) -> bool:
        """Whether the phase, which is over, missed what the next one needs."""
        return not self._phases[index].goes_on and not self.fulfilled(index, rows)

    def fulfilled(self, index: int, rows: Sequence[TrialRow]) -> bool:
        """Whether a phase did what it was for."""
        if self._phases[index].kind in ("fix", "until"):
            return self._met(index, rows) is not None
        return any(row.state == "completed" and not row.smoke for row in self._own(index, rows))

    def _met(self, index: int, rows: Sequence[TrialRow]) -> str | None:
        """The phase's goal: for `until`, what the phase starts from may meet it already."""
        start = self.base_of(index, rows)
        strategy, own = self._strategy(index, start), self._own(index, rows)
        if self._phases[index].kind == "until" and start is not None:
            return strategy.goal_met([start, *own])
        return strategy.goal_met(own)

    def _strategy(self, index: int, start: TrialRow | None) -> Strategy:
        if start is None or not start.params:
            return self._plain[index]
        return self._phases[index].build({**self._given, **start.params})

    def _own(self, index: int, rows: Sequence[TrialRow]) -> list[TrialRow]:
        return [row for row in rows if row.phase == index + 1]

    def _asked(self, index: int, rows: Sequence[TrialRow]) -> list[TrialRow]:
        """The rows that the phase's strategy asked for; `ask` counts what was proposed, for that is all it runs."""
        own = self._own(index, rows)
        return own if self._phases[index].kind == "ask" else [row for row in own if not row.proposed]


def reached(strategy: Strategy, rows: Sequence[TrialRow]) -> int:
    """The index of the phase that a loop has reached; 0 where it has one strategy."""
    return strategy.reached(rows) if isinstance(strategy, Phases) else 0
