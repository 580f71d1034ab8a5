"""Targets such as `eval_loss < 0.30` and `accuracy >= 90%`."""

from __future__ import annotations

import math
import operator
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wpfsm.fsm.strategies.metrics import Direction, finite

_SYNTAX = re.compile(
    r"\s*(?P<metric>[^<>=\s](?:[^<>=]*[^<>=\s])?)\s*(?P<op><=|>=|<|>)\s*"
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<percent>%?)\s*"
)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class MetricTarget:
    """A number that a metric is to reach.

    Attributes:
        metric: The metric's name.
        op: One of `<`, `<=`, `>`, `>=`.
        value: The number; 0.9 for `90%`.
        percent: Whether it was written as a percentage.
    """

    metric: str
    op: str
    value: float
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> MetricTarget:
        """Reads a target.

        Raises:
            ValueError: The text is not `METRIC OP NUMBER`.
        """
        match = _SYNTAX.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is no target: write METRIC < NUMBER (or <=, >, >=), such as eval_loss < 0.30"
            )
        number, percent = float(match["number"]), bool(match["percent"])
        if not math.isfinite(number):
            raise ValueError(f"{text!r} is no target: the number must be finite")
        return cls(match["metric"], match["op"], number / 100 if percent else number, percent)

    @property
    def direction(self) -> Direction:
        """Which way the target lies."""
        return "minimize" if self.op in ("<", "<=") else "maximize"

    def met(self, value: float | None, reported: Sequence[float | None] = ()) -> bool:
        """Whether a value meets the target; a missing or non-finite value never does.

        The service keeps metrics in single precision (API reference, MetricData), where 0.3 comes back as
        0.30000001: both sides are compared in single precision.

        A percentage means a fraction, unless the metric is evidently on a scale of 0 to 100: a target of at
        most 100 % is compared in percent when any reported value lies above 1.

        Args:
            value: The metric of a trial.
            reported: The metric of every trial so far.
        """
        known = finite(value)
        if known is None:
            return False
        values = [each for each in (*reported, known) if each is not None]
        in_percent = self.percent and 0 <= self.value <= 1 and any(each > 1 for each in values)
        limit = self.value * 100 if in_percent else self.value
        return _OPERATORS[self.op](_single(known), _single(limit))

    def __str__(self) -> str:
        return f"{self.metric} {self.op} " + (f"{self.value * 100:g}%" if self.percent else f"{self.value:g}")


def _single(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return value
