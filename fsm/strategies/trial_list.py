"""A list of trials that is known beforehand: what most strategies come down to."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.fsm.strategies.base import (
    PREVIEW,
    Point,
    Standing,
    StrategyError,
    TrialRow,
    describe,
)
from wpfsm.fsm.strategies.metrics import Goal


class TrialList:
    """Runs a fixed list of proposals in order, whatever their outcomes."""

    def __init__(self, proposals: Sequence[Point], goal: Goal | None) -> None:
        """Keeps the list.

        Args:
            proposals: At least one; no two with the same label and repeat.
            goal: What is best, if anything is.

        Raises:
            StrategyError: The list is empty or holds a trial twice.
        """
        if not proposals:
            raise StrategyError("the strategy has no trials")
        seen: set[tuple[str, int]] = set()
        for proposal in proposals:
            if (proposal.label, proposal.repeat) in seen:
                raise StrategyError(f"two trials are called {proposal.label!r}")
            seen.add((proposal.label, proposal.repeat))
        self._proposals = tuple(proposals)
        self._goal = goal

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The first proposal that no row stands for."""
        return self._pending(rows)

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Never: the list is run to its end."""
        return None

    def total(self) -> int | None:
        """The length of the list."""
        return len(self._proposals)

    def at_most(self) -> int:
        """The length of the list."""
        return len(self._proposals)

    def expected(self) -> int:
        """As many: each trial is run once."""
        return self.at_most()

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """How many completed, and the best one."""
        ended = None if self._pending(rows) else f"every trial is done ({len(self._proposals)})"
        return describe(rows, self._goal, ended)

    def preview(self) -> Sequence[Point]:
        """The head of the list."""
        return self._proposals[:PREVIEW]

    def _pending(self, rows: Sequence[TrialRow]) -> Point | None:
        taken = {(row.label, row.repeat) for row in rows if not row.smoke}
        return next((each for each in self._proposals if (each.label, each.repeat) not in taken), None)
