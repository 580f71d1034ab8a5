"""What a training job reports: the metric's expression, and the values that a log holds.

The same regular expression serves twice: the service applies it to the job's log and returns the last value
in `FinalMetricDataList`, and the controller applies it to the live log. A metric that is missing or not
finite is null: never 0, never best.

How a captured text becomes a value:

| captured | value |
|---|---|
| `0.25`, `-3`, `1e-3`, `.5`, `+2` | that number |
| `nan`, `inf`, `-inf`, `Infinity` | a value that is not finite: it counts as reported, and as null when last |
| `90%`, `1,5`, `1_000`, an empty text | no number: nothing was reported on that line |

For a log that prints `acc=90%`, capture the digits only: `acc=([0-9.]+)%` reports 90.

An expression need not spell them: where it would capture a number, and the log has ``nan`` or ``inf`` in the
number's place, that is a report too. ``eval_loss=([0-9.eE+-]+)`` is how people write it, and a job that diverges
must not keep the last value that was finite.

A capture that is only a part of the number that was printed (`2.5` of `2.5e-05`) is no value either: it is shown as
cut, and never compared (:mod:`wpfsm.fsm.strategies.numbers`).

How the service reads a line with two matches, and which dialect its expressions have, is not documented.
Here a line is one report, its last match, in Python's dialect, and so it is in the emulator; a plain capture such as
`eval_loss=([0-9.eE+-]+)` means the same in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wpfsm.fsm.strategies.expression import Expression, MetricReport

Direction = Literal["minimize", "maximize"]
PAGE_LINES = 1000
"""Lines that are read under one time limit where a whole log is."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Which metric decides, and which way is better."""

    metric: str
    direction: Direction

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is strictly better than `other`."""
        return one < other if self.direction == "minimize" else one > other


def series(regex: str | Expression, lines: Iterable[str]) -> Iterator[MetricReport]:
    """The reading of each line of a log that matches, whether it is a number or not.

    Args:
        regex: the expression; one that is given up reads nothing more (:attr:`Expression.given_up`).
        lines: the log.

    Raises:
        ValueError: The expression fails `check_regex`.
    """
    expression = Expression(regex) if isinstance(regex, str) else regex
    first, page = 1, list[str]()
    for line in lines:
        page.append(line)
        if len(page) == PAGE_LINES:
            yield from expression.read(page, first)
            first, page = first + len(page), []
    yield from expression.read(page, first)


def extract(regex: str | Expression, lines: Iterable[str]) -> list[float]:
    """The values that a log reports, in order, those that are not finite included and cut ones left out.

    Raises:
        ValueError: The expression fails `check_regex`.
    """
    return [reading.value for reading in series(regex, lines) if reading.value is not None]


def finite(value: float | None) -> float | None:
    """The value if it is a finite number, else `None`."""
    return value if value is not None and math.isfinite(value) else None


def last_finite(values: Sequence[float]) -> float | None:
    """The final metric: the last value if that one is finite, else `None`.

    The last value wins even when it is NaN: a job that diverged after a good epoch has no metric, and must
    not be best on the strength of what it lost.
    """
    return finite(values[-1]) if values else None
