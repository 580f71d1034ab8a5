"""Log lines as the program printed them, out of the forms in which collectors keep them.

A container's output is kept as JSON (one record a line, the traceback escaped within a string) or exported as CSV
(every quote doubled). A traceback is found in neither until it is taken out.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from wpfsm.fsm.failures.traceback import bare

MOST_CHARS = 200_000
"""A longer record is data, and is left as it stands."""
_DEPTH = 4
_TRACE = ("Traceback (most recent call last)", '  File "')
_MESSAGE = ("message", "msg", "event", "log", "error", "text", "body")
_LEVEL = ("level", "levelname", "severity", "lvl", "log.level", "loglevel")
_QUIET = re.compile(r"(?:trace|debug|info|notice|warn)", re.IGNORECASE)
_TYPE = ("exc_type", "type", "class", "name")
_VALUE = ("exc_value", "message", "value", "msg")
_HEADER = re.compile(r'^"?@?(?:time(?:stamp)?|ingestionTime|logStream|log)"?,', re.IGNORECASE)
_COLUMN = re.compile(r"@?(?:message|log|text|line)", re.IGNORECASE)
_ROW = re.compile(r'^"?(?:\d{13}|\d{4}-\d\d-\d\d[T ][\d:.,Z+-]+)"?,(?P<rest>.*)$')


def unpacked(lines: Sequence[str]) -> list[str]:
    """The lines with every record of JSON or CSV that holds program output replaced by that output."""
    return [line for record in _from_csv(lines) for line in _from_json(record)]


def _from_csv(lines: Sequence[str]) -> Sequence[str]:
    """The message column of an export; any other log as it is."""
    head = next((index for index, line in enumerate(lines[:3]) if _HEADER.match(line)), None)
    if head is not None:
        names = next(csv.reader([lines[head]]), [])
        column = next((index for index, name in enumerate(names) if _COLUMN.fullmatch(name)), None)
        if column is not None:
            try:
                rows = list(csv.reader(f"{line}\n" for line in lines[head + 1 :]))
            except csv.Error:
                return lines
            return [line for row in rows for line in ("".join(row[column : column + 1]).splitlines() or [""])]
    rows_found = [_ROW.match(line) for line in lines]
    if len(lines) < 2 or sum(match is not None for match in rows_found) * 2 <= len(lines):
        return lines
    return [
        _unquoted(match["rest"]) if match else line for match, line in zip(rows_found, lines, strict=True)
    ]


def _unquoted(field: str) -> str:
    is_quoted = len(field) > 1 and field[0] == field[-1] == '"'
    return field[1:-1].replace('""', '"') if is_quoted else field


def _from_json(line: str) -> Iterator[str]:
    text = bare(line).strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > MOST_CHARS:
        yield line
        return
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    said = list(_said(record)) if isinstance(record, Mapping) else []
    yield from said or [line]


def _said(record: Mapping[str, object]) -> Iterator[str]:
    """What the program printed: message and traceback of an error, nothing for a record of another kind."""
    fields = {name.lower(): value for name, value in record.items()}
    strings = list(_strings(record))
    traces = [text for text in strings if any(sign in text for sign in _TRACE)]
    level = next((str(fields[name]) for name in _LEVEL if name in fields), "")
    if not traces and _QUIET.match(level):
        return
    message = next((value for name in _MESSAGE if isinstance(value := fields.get(name), str)), "")
    structured = "" if traces else next(_structured(record), "")
    if not (traces or structured or message):
        return
    yield from (message.rstrip("\n").split("\n") if message and message not in traces else ())
    for text in dict.fromkeys(traces):
        yield from text.rstrip("\n").split("\n")
    if structured:
        yield structured


def _strings(value: object, depth: int = _DEPTH) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each, depth - 1)
    elif depth and isinstance(value, list):
        for each in value:
            yield from _strings(each, depth - 1)


def _structured(value: object, depth: int = _DEPTH) -> Iterator[str]:
    """``Type: message`` of an exception that is an object of its own."""
    if not depth or not isinstance(value, Mapping):
        return
    fields = {str(name).lower().rpartition(".")[2]: each for name, each in value.items()}
    type_ = next((each for name in _TYPE if isinstance(each := fields.get(name), str)), "")
    text = next((each for name in _VALUE if isinstance(each := fields.get(name), str)), "")
    if re.fullmatch(r"[\w.]*(?:Error|Exception)", type_):
        yield f"{type_}: {text}" if text else type_
    for each in value.values():
        yield from _structured(each, depth - 1)
