"""A metric's regular expression, applied to a log that nobody has bounded.

Python's own ``re`` cannot be interrupted: an expression that backtracks on one long line (a progress bar of 20 kB is
enough) would keep the controller from its signals, its heartbeat and a stop while the pool bills. ``regex`` gives up
in time and means the same by the same expression. A line that takes too long is left out; a log that takes too long
ends the reading, and the reader says so.
"""

from __future__ import annotations

import math
import re
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from wpfsm.fsm.strategies.numbers import parse, whole_number

MAX_REGEX_CHARS = 500
"""Longest regular expression (API reference, MetricDefinition)."""
LINE_SECONDS = 0.25
"""For one expression on one line, in seconds of processor time; the line is left out then."""
READ_SECONDS = 1.0
"""For one call of :meth:`Expression.read`, a page of a log; after that the expression is given up."""
MOST_REPEATS = 100
"""Copies of a group (``(...){3}``): nested, a short text becomes gigabytes when it is compiled."""
_TOKENS = 20
"""Words of a line, from its end, that may stand for a number that is not finite."""

_SPELLED = {"\t": "#011", "\r": "#015", "\x1b": "#033"}
"""Control characters as SageMaker's logs show them; the XGBoost container's own expressions count on it."""

_GROUP_REPEATED = re.compile(r"\)\{(\d{1,9})(?:,(\d{0,9}))?\}")
_NOT_FINITE = re.compile(r"(?<![\w.])[+-]?(?:nan|inf(?:inity)?)(?![\w.]*\w)", re.IGNORECASE)
_TAKES_NUMBERS = re.compile(r"(?:\[[^\]]*\]|\\[dwDWsS]|\.)(?:[+*]|\{\d+,?\d*\})$")


@dataclass(frozen=True, slots=True)
class MetricReport:
    """What a metric's expression reads in one line of a log.

    Attributes:
        line: The line's number, from 1.
        captured: The text of the first group; of the line's last match, when there are several.
        value: The number, possibly not finite; `None` when the text is no number, or only a part of one.
        whole: The number that was printed, when the expression captured only a part of it.
        others: What the earlier matches of the line captured, where it is another text.
    """

    line: int
    captured: str
    value: float | None
    whole: str | None = None
    others: tuple[str, ...] = ()


class BoundedMatch(Protocol):
    """A match of the bounded engine."""

    def group(self, number: int = 0) -> str | None:
        """The text of a group; `None` when it took no part."""

    def start(self, group: int = 0) -> int:
        """Where the group begins."""

    def end(self, group: int = 0) -> int:
        """Behind its last character."""


class BoundedPattern(Protocol):
    """A compiled expression of the bounded engine; a search raises `TimeoutError` when its seconds are over."""

    groups: int

    def finditer(self, string: str, *, timeout: float) -> Iterator[BoundedMatch]:
        """Every match, from left to right."""

    def match(self, string: str, *, timeout: float) -> BoundedMatch | None:
        """A match at the beginning."""


def compile_bounded(text: str) -> BoundedPattern:
    """The expression for the engine that can be interrupted.

    Raises:
        ValueError: It is none; the message says why.
    """
    import regex

    repeats = math.prod(int(most or least) for least, most in _GROUP_REPEATED.findall(text))
    if repeats > MOST_REPEATS:
        raise ValueError(f"it repeats groups {repeats} times; at most {MOST_REPEATS} times are compiled")
    try:
        return cast("BoundedPattern", regex.compile(text))
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(str(error) or type(error).__name__) from None


def check_regex(text: str) -> BoundedPattern:
    """Compiles a metric's expression, or says why the service would not get a value from it.

    Raises:
        ValueError: It is empty, longer than 500 characters, does not compile, or captures nothing.
    """
    if not 1 <= len(text) <= MAX_REGEX_CHARS:
        raise ValueError(f"a metric regex has 1 to {MAX_REGEX_CHARS} characters, not {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read differently
            re.compile(text)  # the dialect is Python's; the other engine knows more
        pattern = compile_bounded(text)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise ValueError(f"the metric regex does not compile: {error}") from error
    if pattern.groups == 0:
        raise ValueError(
            f"the metric regex captures nothing: put the number in parentheses, as in {with_group(text)}"
        )
    return pattern


def with_group(text: str) -> str:
    """The expression with a group that reads a whole number where the expression means one.

    ``mse=[0-9.]+`` means the number by its own last part: that part becomes the group. Behind it another group would
    find only the digit that is left over.
    """
    return f"{_TAKES_NUMBERS.sub('', text)}([-+0-9.eE]+)"


def spellings(expression: str, line: str) -> Iterator[str]:
    """The line, and once more with its control characters as the expression spells them, where that differs.

    Some logs show a tab as ``#011`` and some as it is, and an expression was written for one of the two.
    """
    yield line
    if any(code in expression for code in _SPELLED.values()):
        other = line
        for character, code in _SPELLED.items():
            other = other.replace(character, code)
    elif "#0" in line:
        other = line
        for character, code in _SPELLED.items():
            other = other.replace(code, character)
    else:
        return
    if other != line:
        yield other


class Expression:
    """One metric's expression and what reading with it has come to.

    Attributes:
        text: The expression.
        skipped: Number of the first line that was left out because it took too long; 0 for none.
        given_up: Why nothing more is read; empty while it is.
    """

    def __init__(
        self, text: str, *, line_seconds: float = LINE_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        self.text = text
        self.skipped = 0
        self.given_up = ""
        self._pattern = check_regex(text)
        self._line_seconds = line_seconds
        self._read_seconds = read_seconds

    def read(self, lines: Iterable[str], first: int = 1) -> list[MetricReport]:
        """One reading for each line that matches; at most as long as ``read_seconds``.

        Args:
            lines: a page of the log.
            first: the number of its first line.
        """
        found: list[MetricReport] = []
        began = time.thread_time()
        for number, line in enumerate(lines, start=first):
            if self.given_up:
                break
            try:
                ends_at = time.thread_time() + self._line_seconds
                spelled = (self._line(number, each, ends_at) for each in spellings(self.text, line))
                reading = next(filter(None, spelled), None)
            except (TimeoutError, MemoryError):
                self.skipped = self.skipped or number
            else:
                found += [reading] if reading else []
            if time.thread_time() - began > self._read_seconds:
                self.given_up = (
                    f"{self.text!r} takes too long on this log (line {number} has {len(line)} characters): "
                    "it is not read any more"
                )
        return found

    def _line(self, number: int, line: str, ends_at: float) -> MetricReport | None:
        """The line's last report; a number that is not finite counts where the expression looks for a number."""
        captured = _captures(self._pattern, line, ends_at)
        last = captured[-1] if captured else None
        token = self._not_finite(line, last, ends_at)
        if token is not None:
            texts = tuple(line[match.start(1) : match.end(1)] for match in captured if match is not last)
            return MetricReport(number, token.group(), parse(token.group()), None, texts)
        if last is None:
            return None
        text = last.group(1) or ""
        whole = whole_number(line, last.start(1), last.end(1), last.start()) if text else None
        others = tuple(
            dict.fromkeys(other for match in captured[:-1] if (other := match.group(1) or "") != text)
        )
        return MetricReport(number, text, None if whole else parse(text), whole, others)

    def _not_finite(self, line: str, last: BoundedMatch | None, ends_at: float) -> re.Match[str] | None:
        """The word behind (or under) the last match that stands where the expression looks for a number."""
        small = line.lower()
        if "nan" not in small and "inf" not in small:
            return None
        at_least = last.start(1) if last else 0
        for token in list(_NOT_FINITE.finditer(line))[: -_TOKENS - 1 : -1]:
            if last is not None and token.end() <= at_least:
                return None
            as_if = f"{line[: token.start()]}0{line[token.end() :]}"
            if any(
                match.start(1) <= token.start() < match.end(1)
                for match in _captures(self._pattern, as_if, ends_at)
            ):
                return token
        return None


def _captures(pattern: BoundedPattern, line: str, ends_at: float) -> list[BoundedMatch]:
    left = ends_at - time.thread_time()
    if left <= 0:
        raise TimeoutError
    found: list[BoundedMatch] = []
    for match in pattern.finditer(line, timeout=left):
        found.append(match)
        if not len(found) % 1000 and time.thread_time() > ends_at:
            raise TimeoutError
    return found


def warnings_of(expression: Expression, readings: Sequence[MetricReport]) -> dict[str, str]:
    """What is wrong with the expression, by kind, as far as these readings show it.

    Args:
        expression: The metric's.
        readings: What it read.

    Returns:
        ``cut``, ``several``, ``slow_line`` and ``given_up``, each with a sentence.
    """
    found: dict[str, str] = {}
    cut = next((reading for reading in readings if reading.whole is not None), None)
    if cut is not None:
        found["cut"] = (
            f"the expression captures only a part of the number, {cut.captured!r} of {cut.whole!r}; it is not compared"
        )
    several = next((reading for reading in readings if reading.others), None)
    if several is not None:
        found["several"] = (
            f"a line has several matches ({', '.join(several.others[:3])}, {several.captured}): the last is taken"
        )
    if expression.skipped:
        found["slow_line"] = f"{expression.text!r} takes too long on a line of the log, which is left out"
    if expression.given_up:
        found["given_up"] = expression.given_up
    return found
