"""The metrics of a training job, read from its lines by the regular expressions of its request.

Python's own ``re`` cannot be interrupted: an expression that backtracks for ever would stop every thread of the
emulator, and so every request. ``regex`` gives up in time. Of several matches in a line the last is the line's report,
as in the controller.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.engine.records import Job, Metric, Request
from wpfsm.fsm.strategies.expression import BoundedMatch, BoundedPattern, compile_bounded, spellings

if TYPE_CHECKING:
    from wpfsm.adapters.emulator.runner.base import LogLine

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
"""Real seconds for one expression on one line; whatever takes longer is not read any more."""


def compile_expression(text: str) -> BoundedPattern:
    """Compile the expression of a MetricDefinition.

    Raises:
        ValueError: It is none; the message says why.
    """
    return compile_bounded(text)


class MetricReader:
    """Remembers the last value of each metric of one job."""

    def __init__(self, job: Job) -> None:
        algorithm = cast("Request", job.request.get("AlgorithmSpecification", {}))
        definitions = cast("list[dict[str, str]]", algorithm.get("MetricDefinitions", []))
        self._job = job.key
        self._patterns = [(e["Name"], e["Regex"], compile_expression(e["Regex"])) for e in definitions]
        self._latest: dict[str, Metric] = {}

    def read(self, lines: Iterable[LogLine]) -> list[Metric]:
        """Take lines with their times in milliseconds since the epoch; return the values found in them."""
        values: list[Metric] = []
        for ms, text in lines:
            for name, written, pattern in list(self._patterns):
                try:
                    found = _last(pattern, spellings(written, text))
                except TimeoutError:
                    logger.warning(
                        "the regex of metric %s of %s takes too long: no longer read", name, self._job
                    )
                    self._patterns.remove((name, written, pattern))
                    continue
                value = _number(found) if found else None
                if value is not None:
                    self._latest[name] = Metric(name, value, ms / 1000)
                    values.append(self._latest[name])
        return values

    def latest(self) -> tuple[Metric, ...]:
        """Return the last value of each metric that was found."""
        return tuple(self._latest.values())


def _last(pattern: BoundedPattern, spelled: Iterable[str]) -> BoundedMatch | None:
    """The last match of the first spelling of a line that has one."""
    for line in spelled:
        if found := deque(pattern.finditer(line, timeout=PATIENCE_SECONDS), maxlen=1):
            return found[0]
    return None


def _number(found: BoundedMatch) -> float | None:
    """Return the first group as a number; None for text that is no number or a pattern without a group."""
    try:
        return float(found.group(1) or "")
    except (IndexError, ValueError):
        return None
