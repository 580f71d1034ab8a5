"""`wpfsm metric test`: what a metric expression reads from a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.documents.rows import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, print_json, read_text
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.records import JSON

if TYPE_CHECKING:
    from wpfsm.fsm.strategies.metrics import Reading


def metric_test(given: Options, file: Path, regex: str | None, loop_file: Path | None) -> int:
    """What an expression extracts from a log; returns 1 when the last value would be null."""
    from wpfsm.fsm.strategies.metrics import last_finite, series

    name, regex = _expression(regex, loop_file)
    try:
        readings = list(series(regex, read_text(file).splitlines()))
    except ValueError as error:
        raise UsageError(f"--regex: {error}", fix="--regex 'eval_loss=([0-9.eE+-]+)'") from error
    final = last_finite([reading.value for reading in readings if reading.value is not None])
    rows = [_reading(reading) for reading in readings]
    if given.output == "jsonl":
        for row in rows:
            print_json(row)
        return 0 if final is not None else 1
    document: dict[str, JSON] = {
        "schema": SCHEMA, "metric": {"name": name or None, "regex": regex, "value": final}, "readings": list(rows)
    }  # fmt: skip
    emit(given, document, "\n".join([*map(_reading_line, readings), _final_line(name, final, len(rows))]))
    return 0 if final is not None else 1


def _expression(regex: str | None, loop_file: Path | None) -> tuple[str, str]:
    if regex is not None and loop_file is None:
        return "", regex
    if regex is not None or loop_file is None:
        raise UsageError(
            "give --regex, or --loop with a loop file that has a metric", fix="wpfsm metric test --help"
        )
    from wpfsm.fsm.loopfile.load import load

    metric = load(loop_file).metric
    if metric is None:
        raise UsageError(
            f"{loop_file} has no metric", fix="add metric: {name: ..., regex: ...}, or give --regex"
        )
    return metric.name, metric.regex


def _reading(reading: Reading) -> dict[str, JSON]:
    from wpfsm.fsm.strategies.metrics import finite

    return {"line": reading.line, "captured": reading.captured, "value": finite(reading.value)}


def _reading_line(reading: Reading) -> str:
    meaning = "not a number, skipped" if reading.value is None else f"{reading.value:g}"
    return f"line {reading.line:>6}  {reading.captured!r} -> {meaning}"


def _final_line(name: str, final: float | None, count: int) -> str:
    what = name or "the metric"
    if final is not None:
        return f"{what} = {final:g}, the last of {count} match(es)"
    return f"{what} is null: " + ("the last value is not finite" if count else "no line matches")
