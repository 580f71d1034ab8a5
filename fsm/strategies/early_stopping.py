"""When a running job is hopeless: the median rule on its live metric.

The rule is the median stopping rule of Google Vizier (Golovin et al., KDD 2017): at its s-th report, a job is
stopped when the best value that it has reported is strictly worse than the median, over the completed trials,
of the mean of their first s reports. The best of one against the means of the others is deliberately lenient:
a job that merely starts slowly survives. A job that has made more reports than the others is compared as far
as they got: a log is read in pieces, and its job may be past their end when it is first looked at.

To stop a job is not to release its pool: StopTrainingJob leaves the pool, and Verifying confirms it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from wpfsm.fsm.strategies.metrics import Goal

DEFAULT_MIN_TRIALS = 3


class EarlyStopConfig(BaseModel):
    """The `early_stop` section of the loop file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warmup_reports: Annotated[int, Field(ge=1)] = Field(
        default=3, description="Reports that each job may make before it is judged."
    )
    min_trials: Annotated[int, Field(ge=1)] = Field(
        default=DEFAULT_MIN_TRIALS, description="Completed trials that it takes before anything is judged."
    )


def should_prune(
    running: Sequence[float],
    completed: Sequence[Sequence[float]],
    goal: Goal,
    warmup_reports: int,
    *,
    min_trials: int = DEFAULT_MIN_TRIALS,
) -> str | None:
    """Why the running job should be stopped, or `None` while there is hope.

    Args:
        running: What the running job has reported, oldest first; values may be non-finite.
        completed: The same for each completed trial; smoke trials do not belong here.
        goal: Which way is better.
        warmup_reports: Reports to wait for before judging, at least 1.
        min_trials: How many completed trials it takes; they must have made `warmup_reports`, too.

    Returns:
        One sentence for the event and the user, or `None`.
    """
    reports, warmup, enough = len(running), max(1, warmup_reports), max(1, min_trials)
    if reports < warmup:
        return None
    if not any(map(math.isfinite, running[-warmup:])):
        return f"{goal.metric} was not finite in the last {warmup} reports"
    lengths = sorted(map(len, completed), reverse=True)
    step = min(reports, lengths[enough - 1]) if len(lengths) >= enough else 0
    peers = [mean for values in completed if (mean := _running_mean(values, step)) is not None]
    if step < warmup or len(peers) < enough:
        return None
    best = _best(running, goal)
    middle = median(peers)
    if not goal.better(middle, best):
        return None
    return (
        f"after {reports} reports the best {goal.metric} is {best:.6g}, "
        f"worse than the median {middle:.6g} of {len(peers)} completed trials"
    )


def _running_mean(values: Sequence[float], reports: int) -> float | None:
    """The mean of the finite values among the first reports; `None` for a trial that made fewer."""
    if len(values) < reports:
        return None
    known = [value for value in values[:reports] if math.isfinite(value)]
    # Divided first: the sum of what a diverging job reports may be beyond what a float holds.
    return sum(value / len(known) for value in known) if known else None


def _best(values: Sequence[float], goal: Goal) -> float:
    known = [value for value in values if math.isfinite(value)]
    return min(known) if goal.direction == "minimize" else max(known)
