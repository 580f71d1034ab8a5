"""`ask`: whoever looks at the last result decides the next trial, while the pool is held for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from wpfsm.fsm.strategies.base import Point, Standing, TrialRow, describe
from wpfsm.fsm.strategies.duration import Duration
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.repeats import WithRepeats

DEFAULT_HOLD = 600.0
"""Seconds: long enough for an agent to read a result and edit a file."""


class AskConfig(WithRepeats):
    """The `strategy` section of a loop whose next trial comes from outside (`wpfsm next`)."""

    type: Literal["ask"] = "ask"
    hold: Annotated[Duration, Field(gt=0)] = Field(
        default=DEFAULT_HOLD,
        description="How long the pool is held after each verdict. When it passes without a proposal the pool"
        " goes, and the next trial starts cold; nothing else is lost.",
    )
    keep: Literal["better", "all", "last"] = Field(
        default="better",
        description="What the next trial starts from. `better`: the best so far, so that a trial that is no "
        "better is discarded; `all`: the newest that completed; `last`: the newest, whatever "
        "became of it.",
    )
    max_trials: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=50,
        description="The most trials; after them the loop ends. Those of a loop that is continued do not "
        "count.",
    )


class Ask:
    """The job as the loop file gives it, and then what is proposed."""

    def __init__(self, config: AskConfig, goal: Goal | None) -> None:
        """Keeps the configuration."""
        self._config = config
        self._goal = goal

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The job as it is given; behind any trial, also one of the loop that is continued, nothing: the loop waits."""
        return None if rows else Point({}, "as given")

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Never: whoever proposes says when it is done."""
        return None

    def total(self) -> int | None:
        """Unknown: whoever proposes decides."""
        return None

    def at_most(self) -> int:
        """`max_trials`."""
        return self._config.max_trials

    def expected(self) -> int:
        """As many: the results decide."""
        return self.at_most()

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """How many completed, and the best one."""
        own = sum(not row.elsewhere for row in rows)
        over = own >= self._config.max_trials
        return describe(rows, self._goal, f"max_trials ({own}) is reached" if over else None)

    def preview(self) -> Sequence[Point]:
        """The job as it is given: nothing else is known beforehand."""
        return [Point({}, "as given")]
