"""What `detect` reports: whether a request is a candidate, the pattern, the trials, the target and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = int | float | str | bool
TrialValue = Value | list[Value] | list[str] | dict[str, str] | dict[str, int | float]
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
class StatedTarget:
    """The number at which a loop may stop.

    Attributes:
        metric: its name, as the request writes it ("val_acc").
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
class Plan:
    """How a request wants its trials run.

    Attributes:
        method: "grid", "list", "random" or "bayes"; "" when it does not say.
        count: how many trials it asks for.
        most: the most jobs that it allows.
        repeats: how often it wants each trial.
        cost: its budget in US dollars.
        by_hand: the user decides each next trial after seeing the last.
        mend_first: the script does not run yet, and is to before the trials begin.
        local: it says that the emulator on this machine runs it.
        note: what a reader of the draft should know.
    """

    method: str = ""
    count: int | None = None
    most: int | None = None
    repeats: int | None = None
    cost: float | None = None
    by_hand: bool = False
    mend_first: bool = False
    local: bool = False
    note: str = ""


@dataclass(frozen=True)
class Detection:
    """What a request asks for.

    Attributes:
        candidate: True when two or more training jobs on one instance type are asked for, so that a warm pool pays;
            False when a reason against it stands in the text; None when the reader must decide.
        confidence: the calibrated probability that the request is a candidate.
        pattern: which way of iterating; of None the likeliest, of False `Pattern.NONE`.
        why: the words of the request that it rests on.
        reason: of False, which kind of reason.
        trials: one dict of parameter to value for each trial that the request spells out; a range that it leaves open
            is ``{"lr": {"min": 1e-05, "max": 0.001}}``; empty when it names no values.
        target: the number to reach, or None.
        message: what to tell the user.
        decline: how to do without a warm pool.
        settings: single values that the request fixes for every trial.
        instance_type: the instance type that the request names, or None.
        varied: the parameters that vary, also when the request gives them no values.
        plan: method, count, repeats and budget.
        following: the phase that goes on from the best trial, where the request asks for one.
    """

    candidate: bool | None
    confidence: float
    pattern: Pattern
    why: str
    reason: str = ""
    trials: list[Trial] = field(default_factory=list)
    target: StatedTarget | None = None
    message: str = ""
    decline: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)
    instance_type: str | None = None
    varied: tuple[str, ...] = ()
    plan: Plan = Plan()
    following: Detection | None = None

    def to_json(self) -> dict[str, object]:
        """The object that ``wpfsm detect -o json`` prints."""
        target = self.target or (self.following.target if self.following else None)
        following = self.following.trials if self.following else []
        return {
            "candidate": self.candidate,
            "confidence": round(self.confidence, 2),
            "pattern": self.pattern.value,
            "why": self.why,
            "trials": [*self.trials, *following],
            "target": None
            if target is None
            else {"metric": target.metric, "op": target.op, "value": target.value},
            "message": self.message,
            "decline": self.decline,
        }
