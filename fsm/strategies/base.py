"""What a strategy is, and what all of them share.

A strategy holds no state: everything it says is a function of its configuration and of the loop's own rows.
So a controller that crashed and resumed asks the same question and gets the same answer.

A trial's identity within a loop is its label and its repeat. A strategy with a fixed list skips what the rows
already hold, so a loop file that gained a trial (`wpfsm resume --accept-changes`) runs that trial only; a
recipe or a variant whose settings changed is run again under another name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from wpfsm.fsm.strategies.metrics import Goal, finite

if TYPE_CHECKING:
    from wpfsm.fsm.records import Value

RowState = Literal["running", "completed", "failed", "stopped"]
ComparisonVerdict = Literal["better", "worse", "within noise", "noise unknown", "no result"]

PREVIEW = 50
"""How many trials `Strategy.preview` shows at most."""


class StrategyError(ValueError):
    """A strategy's configuration cannot work with this loop; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Point:
    """The next trial that a strategy asks for.

    Attributes:
        params: Hyperparameters that override the job's own.
        label: A short name for people, such as `lr=0.0001` or the recipe's name; unique with `repeat`.
        source: A source directory instead of the job's.
        entry: An entry script instead of the job's.
        environment: Environment variables that override the job's own.
        smoke: A short run that shows whether the job works at all; it is never best.
        carry_checkpoint: The script continues from the checkpoint in the pool's persistent cache.
        repeat: Which repetition of the same trial this is, from 0.
        phase: Which strategy of a list asks for it, from 1.
        base: The number of the trial that it starts from; `None` for the job as the loop file gives it.
    """

    params: Mapping[str, Value]
    label: str
    source: str | None = None
    entry: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    smoke: bool = False
    carry_checkpoint: bool = False
    repeat: int = 0
    phase: int = 1
    base: int | None = None


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial as the loop's rows hold it.

    Attributes:
        number: Its number in the loop, from 1.
        params: The overrides that it ran with.
        label: The label of its point.
        smoke: Whether it was a smoke trial.
        state: Where it stands.
        metric: Its final metric, finite, or `None`.
        fingerprint: The fingerprint of its failure, if it failed.
        repeat: The repeat of its proposal.
        source: The source directory of its proposal.
        phase: Which strategy of a list asked for it, from 1.
        proposed: Whether it came from outside the strategy.
        elsewhere: Whether another loop ran it, which this one continues.
    """

    number: int
    params: Mapping[str, Value]
    label: str
    smoke: bool
    state: RowState
    metric: float | None = None
    fingerprint: str | None = None
    repeat: int = 0
    source: str | None = None
    phase: int = 1
    proposed: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant against the baseline.

    Attributes:
        variant: The variant's name.
        runs: Completed runs of the variant with a metric.
        mean: Their mean; `None` when there is none.
        baseline_mean: The baseline's mean; `None` when there is none.
        low: Lower end of the 95 % interval of `mean - baseline_mean`; `None` when noise is unknown.
        high: Its upper end.
        verdict: What may be said.
        text: The same in one sentence.
    """

    variant: str
    runs: int
    mean: float | None
    baseline_mean: float | None
    low: float | None
    high: float | None
    verdict: ComparisonVerdict
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the trials have shown so far.

    Attributes:
        best: The number of the best trial.
        text: One sentence.
        comparisons: `ablate` only: each variant against the baseline.
        ended: Why there is no next trial; `None` while there is one, or while one is running.
    """

    best: int | None
    text: str
    comparisons: tuple[Comparison, ...] = ()
    ended: str | None = None


class Strategy(Protocol):
    """The order of trials, as a pure function of the loop's rows."""

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The next trial; `None` when there is none left, or none before a running one has ended."""
        ...

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:
        """Why the loop has reached its goal, or `None`."""
        ...

    def total(self) -> int | None:
        """How many trials there will be; `None` when the outcomes decide."""
        ...

    def at_most(self) -> int:
        """The most trials that `next` can ever ask for."""
        ...

    def expected(self) -> int:
        """How many trials there are if none fails; `at_most` where the results decide, too."""
        ...

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """What the trials have shown so far."""
        ...

    def preview(self) -> Sequence[Point]:
        """The first trials that are known beforehand, at most 50."""
        ...


def best(rows: Sequence[TrialRow], goal: Goal | None) -> TrialRow | None:
    """The completed trial with the best metric; the earlier one of two equals.

    A missing or non-finite metric is never best, and neither is a smoke, failed or stopped trial.
    """
    winner: TrialRow | None = None
    winning = 0.0
    for row in rows:
        value = finite(row.metric)
        if goal is None or row.smoke or row.state != "completed" or value is None:
            continue
        if winner is None or goal.better(value, winning):
            winner, winning = row, value
    return winner


def repeated_failure(rows: Sequence[TrialRow]) -> str | None:
    """Why going on is pointless: two different trials failed with the same fingerprint."""
    first: dict[str, TrialRow] = {}
    for row in rows:
        if row.state != "failed" or row.fingerprint is None:
            continue
        earlier = first.setdefault(row.fingerprint, row)
        if earlier.number != row.number:
            return f"trials {earlier.number} and {row.number} failed in the same way ({row.fingerprint})"
    return None


def is_running(rows: Sequence[TrialRow]) -> bool:
    """Whether a trial has not ended yet: in lanes, others run beside it."""
    return any(row.state == "running" for row in rows)


def describe(rows: Sequence[TrialRow], goal: Goal | None, ended: str | None = None) -> Standing:
    """The standing that any strategy can give: how many trials completed, and the best one."""
    full = [row for row in rows if not row.smoke]
    completed = sum(row.state == "completed" for row in full)
    text = f"{completed} of {len(full)} trials completed"
    winner = best(rows, goal)
    if goal is not None and winner is not None:
        text += f"; best is trial {winner.number} ({winner.label}) with {goal.metric} {winner.metric:.6g}"
    elif goal is not None and full:
        text += f"; none has reported {goal.metric}"
    running = any(row.state == "running" for row in rows)
    return Standing(winner.number if winner else None, text, ended=None if running else ended)


_PLAIN = re.compile(r"[A-Za-z_][\w./:+-]*")


def label_for(params: Mapping[str, Value]) -> str:
    """`lr=0.0001 batch_size=8`: different params always have different labels."""
    return " ".join(f"{_text(name)}={_text(value)}" for name, value in params.items()) or "as given"


def _text(value: Value) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in ("true", "false", "null"):
        return value
    return json.dumps(value, ensure_ascii=False)
