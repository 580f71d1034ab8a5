"""What a recogniser of requests reports: the pattern, why, the trials and the target."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Value = int | float | str | bool
TrialValue = Value | list[str] | dict[str, str] | dict[str, float]
Trial = dict[str, TrialValue]


class Pattern(StrEnum):
    """The six ways of iterating, and none."""

    HYPERPARAMETER_SWEEP = "hyperparameter_sweep"
    TRAIN_UNTIL_METRIC = "train_until_metric"
    DEPENDENCY_DEBUGGING = "dependency_debugging"
    RECIPE_ITERATION = "recipe_iteration"
    ABLATION = "ablation"
    CONFIG_GRID = "config_grid"
    NONE = "none"


@dataclass(frozen=True)
class Target:
    """The number at which a loop may stop.

    Attributes:
        metric: its name, as a metric is logged ("eval_loss").
        op: "<", "<=", ">" or ">=".
        value: the threshold; 90% is 0.9.
        percent: whether it was written as a percentage.
    """

    metric: str
    op: str
    value: float
    percent: bool = False

    def __str__(self) -> str:
        return (
            f"{self.metric} {self.op} {f'{self.value * 100:.6g}%' if self.percent else f'{self.value:.6g}'}"
        )


@dataclass(frozen=True)
class Finding:
    """What one recogniser saw.

    Attributes:
        pattern: which way of iterating.
        why: what in the request says so.
        trials: the trials that it spells out.
        target: the number to reach.
        varied: the parameters that vary, also when no values are given.
    """

    pattern: Pattern
    why: str
    trials: list[Trial] = field(default_factory=list)
    target: Target | None = None
    varied: tuple[str, ...] = ()
