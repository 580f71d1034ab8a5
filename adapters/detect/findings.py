"""What a recogniser of requests reports: the pattern, why, the trials and the target."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Detection:
    """What a request asks for.

    Attributes:
        candidate: two or more training jobs on one instance type, so a warm pool pays.
        pattern: which way of iterating; `Pattern.NONE` when it is no candidate.
        why: what in the request says so, or why it is no candidate.
        trials: one dict of parameter to value for each trial that the request spells out; a range that it
            leaves open is ``{"lr": {"min": 1e-05, "max": 0.001}}``; empty when it names no values.
        target: the number to reach, or None.
        message: what to tell the user.
        settings: single values that the request fixes for every trial.
        instance_type: the instance type that the request names, or None.
        varied: the parameters that vary, also when the request gives them no values.
    """

    candidate: bool
    pattern: Pattern
    why: str
    trials: list[Trial] = field(default_factory=list)
    target: Target | None = None
    message: str = ""
    settings: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    instance_type: str | None = None
    varied: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The object that ``wpfsm detect -o json`` prints."""
        target = self.target
        return {
            "candidate": self.candidate,
            "pattern": self.pattern.value,
            "why": self.why,
            "trials": self.trials,
            "target": None
            if target is None
            else {"metric": target.metric, "op": target.op, "value": target.value},
            "message": self.message,
        }
