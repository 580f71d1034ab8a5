"""`fix`: again until one job completes, as when one repaired dependency uncovers the next broken one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import Point, Standing, TrialRow, describe, is_running
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.smoke import WithSmoke
from wpfsm.fsm.strategies.space import Overrides

DEFAULT_ATTEMPTS = 10


class FixConfig(WithSmoke):
    """The `strategy` section that runs until one job completes."""

    type: Literal["fix"] = "fix"
    attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        default=DEFAULT_ATTEMPTS,
        description="How many trials may fail, smoke or full, before the loop gives up.",
    )
    smoke: bool | Overrides = Field(
        default=False,
        description="What makes the attempts short; after one of them completed, the full job runs.",
    )


class Fix:
    """Short attempts until one completes, then the full job until it does."""

    def __init__(self, config: FixConfig, goal: Goal | None, overrides: Mapping[str, Value]) -> None:
        """Keeps the configuration; `overrides` make an attempt short, none of them run in full."""
        self._attempts = config.attempts
        self._goal = goal
        self._overrides = dict(overrides)

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """Another attempt, or the full job once an attempt completed."""
        return None if is_running(rows) or self._ended(rows) else self._proposal(rows)

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:
        """The full job completed."""
        done = next((row for row in rows if not row.smoke and row.state == "completed"), None)
        return None if done is None else f"trial {done.number} ({done.label}) completed"

    def total(self) -> int | None:
        """Unknown: the failures decide."""
        return None

    def at_most(self) -> int:
        """All attempts, of which the last completes, and the full job after a short one."""
        return self._attempts + bool(self._overrides)

    def expected(self) -> int:
        """The full job, behind a short attempt if there is one."""
        return 1 + bool(self._overrides)

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """How many attempts it took so far."""
        standing = describe(rows, self._goal, self._ended(rows))
        text = f"{self.goal_met(rows) or 'no full job has completed'} after {_failed(rows)} failed attempts"
        return Standing(standing.best, text, ended=standing.ended)

    def preview(self) -> Sequence[Point]:
        """The attempt and the full job, as if nothing failed."""
        full = Point({}, "full job")
        return [self._attempt(0), full] if self._overrides else [full]

    def _proposal(self, rows: Sequence[TrialRow]) -> Point:
        passed = any(row.smoke and row.state == "completed" for row in rows)
        repeat = sum(row.smoke != (passed or not self._overrides) for row in rows)
        return (
            Point({}, "full job", repeat=repeat) if passed or not self._overrides else self._attempt(repeat)
        )

    def _attempt(self, repeat: int) -> Point:
        return Point(self._overrides, "attempt", smoke=True, repeat=repeat)

    def _ended(self, rows: Sequence[TrialRow]) -> str | None:
        if met := self.goal_met(rows):
            return met
        failed = _failed(rows)
        return f"no full job completed in {failed} attempts" if failed >= self._attempts else None


def _failed(rows: Sequence[TrialRow]) -> int:
    return sum(row.state in ("failed", "stopped") for row in rows)
