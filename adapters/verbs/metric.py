"""`wpfsm metric test`: what a metric expression reads from a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json, read_text
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.records import JSON

if TYPE_CHECKING:
    from wpfsm.fsm.strategies.expression import MetricReport

LINE_SECONDS = 0.5
"""For the expression on one line: nobody's pool bills while somebody tries an expression."""
READ_SECONDS = 1.5


def metric_test(
    given: Options, file: Path, regex: str | None, loop_file: Path | None, wanted: str | None = None
) -> int:
    """What an expression extracts from a log; returns 1 when the last value would be null."""
    from wpfsm.fsm.strategies.metrics import last_finite

    name, regex = _expression(regex, loop_file, wanted)
    lines = _log_lines(read_text(file))
    readings, warnings = _read(regex, lines)
    reported = [reading for reading in readings if reading.value is not None or reading.whole is not None]
    cut = bool(reported) and reported[-1].whole is not None
    values = [reading.value for reading in readings if reading.value is not None]
    final = None if cut else last_finite(values)
    for warning in warnings:
        hint(f"warning: {warning}")
    rows = [_reading(reading) for reading in readings]
    if given.output == "jsonl":
        for row in rows:
            print_json(row)
        return 0 if final is not None else 1
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "metric": {"name": name or None, "regex": regex, "value": final},
        "warnings": list(warnings),
        "readings": list(rows),
    }
    emit(
        given,
        document,
        "\n".join([*map(_reading_line, readings), _final_line(name, final, readings, cut=cut)]),
    )
    return 0 if final is not None else 1


def _log_lines(text: str) -> list[str]:
    """The lines as a collector ends them: a carriage return or another separator belongs to its line."""
    lines = text.split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _read(regex: str, lines: Sequence[str]) -> tuple[list[MetricReport], list[str]]:
    """What the expression reads, and what is to be said of it."""
    from wpfsm.fsm.strategies.expression import Expression, warnings_of
    from wpfsm.fsm.strategies.metrics import series

    try:
        expression = Expression(regex, line_seconds=LINE_SECONDS, read_seconds=READ_SECONDS)
    except ValueError as error:
        raise UsageError(f"--regex: {error}", fix="--regex 'eval_loss=([0-9.eE+-]+)'") from error
    readings = list(series(expression, lines))
    found = [*warnings_of(expression, readings).values()]
    return readings, found if readings or expression.given_up else [*found, *_why_nothing(regex, lines)]


def _why_nothing(regex: str, lines: Sequence[str]) -> Iterator[str]:
    """Why an expression that looks right matches no line of this log."""
    from wpfsm.fsm.strategies.expression import Expression
    from wpfsm.fsm.strategies.metrics import series

    def reads(changed: list[str]) -> bool:
        return any(True for _ in series(Expression(regex), changed))

    from wpfsm.fsm.failures.traceback import without_escapes

    plain = [without_escapes(line) for line in lines]
    if plain != list(lines) and reads(plain):
        yield (
            "no line matches as it stands: the log has colour or escape codes between the name and the number; let the "
            "job print without colours (NO_COLOR=1), or allow for the codes in the expression"
        )


def _expression(regex: str | None, loop_file: Path | None, wanted: str | None) -> tuple[str, str]:
    if regex is not None and loop_file is None and wanted is None:
        return "", regex
    if regex is not None or loop_file is None:
        raise UsageError(
            "give --regex, or --loop with a loop file that has a metric", fix="wpfsm metric test --help"
        )
    from wpfsm.fsm.loopfile.load import load

    found = load(loop_file).definitions
    named = [pair for pair in found if wanted in (None, pair[0])]
    if not named:
        has = f"; it has {', '.join(name for name, _ in found)}" if found else ""
        raise UsageError(
            f"{loop_file} has no metric{f' {wanted}' if wanted else ''}{has}",
            fix="add metric: {name: ..., regex: ...}, or give --regex",
        )
    return named[0]


def _reading(reading: MetricReport) -> dict[str, JSON]:
    from wpfsm.fsm.strategies.metrics import finite

    row: dict[str, JSON] = {
        "line": reading.line,
        "captured": reading.captured,
        "value": finite(reading.value),
        "cut_from": reading.whole,
        "earlier_in_line": list(reading.others),
    }
    return row


def _reading_line(reading: MetricReport) -> str:
    if reading.whole is not None:
        meaning = f"cut: only a part of {reading.whole}, not compared"
    else:
        meaning = "not a number, skipped" if reading.value is None else f"{reading.value:g}"
    before = f"  (the last match; before it: {', '.join(reading.others)})" if reading.others else ""
    return f"line {reading.line:>6}  {reading.captured!r} -> {meaning}{before}"


def _final_line(name: str, final: float | None, readings: Sequence[MetricReport], *, cut: bool) -> str:
    what = name or "the metric"
    if final is not None:
        return f"{what} = {final:g}, the last of {len(readings)} line(s) that match"
    why = (
        "the last value is cut" if cut else "the last value is not finite" if readings else "no line matches"
    )
    return f"{what} is null: {why}"
