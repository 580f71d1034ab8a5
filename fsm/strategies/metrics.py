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

How the service reads a line with two matches, and which dialect its expressions have, is not documented.
Here each match in a line is one report, in Python's dialect; a plain capture such as
`eval_loss=([0-9.eE+-]+)` means the same in both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["minimize", "maximize"]

MAX_REGEX_CHARS = 500
"""Longest regular expression (API reference, MetricDefinition)."""

# float() alone would also take 1_000 and the digits of other scripts, which no log means as a number.
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)


_NOT_FINITE = re.compile(r"(?<![\w.])[+-]?(?:nan|inf(?:inity)?)(?![\w.]*\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Goal:
    """Which metric decides, and which way is better."""

    metric: str
    direction: Direction

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is strictly better than `other`."""
        return one < other if self.direction == "minimize" else one > other


@dataclass(frozen=True, slots=True)
class Reading:
    """One match of a metric's expression in a log.

    Attributes:
        line: The line's number, from 1.
        captured: The text of the first group.
        value: The number, possibly not finite; `None` when the text is no number.
    """

    line: int
    captured: str
    value: float | None


def check_regex(regex: str) -> re.Pattern[str]:
    """Compiles a metric's expression, or says why the service would not get a value from it.

    Raises:
        ValueError: It is empty, longer than 500 characters, does not compile, or captures nothing.
    """
    if not 1 <= len(regex) <= MAX_REGEX_CHARS:
        raise ValueError(f"a metric regex has 1 to {MAX_REGEX_CHARS} characters, not {len(regex)}")
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise ValueError(f"the metric regex does not compile: {error}") from error
    if pattern.groups == 0:
        raise ValueError(
            f"the metric regex captures nothing: put the number in parentheses, as in {regex}([0-9.eE+-]+)"
        )
    return pattern


def parse(text: str) -> float | None:
    """The number that a captured text is, possibly not finite, or `None`; see the table above."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def series(regex: str, lines: Iterable[str]) -> Iterator[Reading]:
    """Every match in a log, with its line number, whether it is a number or not (`wpfsm metric test`).

    Raises:
        ValueError: The expression fails `check_regex`.
    """
    pattern = check_regex(regex)
    for number, line in enumerate(lines, start=1):
        for _, captured in sorted(_captures(pattern, line)):
            yield Reading(number, captured, parse(captured))


def _captures(pattern: re.Pattern[str], line: str) -> Iterator[tuple[int, str]]:
    """Where and what the expression captures in a line, numbers that are not finite included."""
    tokens = [token for token in _NOT_FINITE.finditer(line) if _stands_for_a_number(pattern, line, token)]
    for token in tokens:
        yield token.start(), token.group()
    for match in pattern.finditer(line):
        # Of -inf an expression of digits and signs captures the sign alone.
        if not any(match.start(1) < token.end() and token.start() < match.end(1) for token in tokens):
            yield match.start(1), match.group(1) or ""


def _stands_for_a_number(pattern: re.Pattern[str], line: str, token: re.Match[str]) -> bool:
    """Whether the expression would capture a number in the token's place."""
    at = token.start()
    as_if = f"{line[:at]}0{line[token.end() :]}"
    return any(match.start(1) <= at < match.end(1) for match in pattern.finditer(as_if))


def extract(regex: str, lines: Iterable[str]) -> list[float]:
    """The values that a log reports, in order, those that are not finite included.

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
