"""Records to rows and back."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from wpfsm.fsm.records import JSON, Event, Intent, Job, Loop, Obligation, Outcome, Remembered, State, Trial

Record: TypeAlias = Loop | Trial | Job | Intent | Obligation | Event | Remembered
R = TypeVar("R", Loop, Trial, Job, Intent, Obligation, Event, Remembered)

TABLES: Mapping[type, str] = {
    Loop: "loops",
    Trial: "trials",
    Job: "jobs",
    Intent: "intents",
    Obligation: "obligations",
    Event: "events",
    Remembered: "remembered",
}
_JSON = frozenset({
    "loop_file", "lock", "handoff", "price", "receipt", "params", "environment",
    "overrides", "request", "metrics", "diagnosis", "patch", "transitions", "data",
})  # fmt: skip
_FLAGS = frozenset({"smoke", "carry_checkpoint", "seen"})


def columns(record: type[Record]) -> tuple[str, ...]:
    """Column names of a record type, in the order of its fields."""
    return tuple(field.name.rstrip("_") for field in dataclasses.fields(record))


def upsert(record: type[Record]) -> str:
    """SQL that writes a whole row; the row of the same key is replaced."""
    names = columns(record)
    return (
        f"insert or replace into {TABLES[record]} ({', '.join(names)}) "  # noqa: S608 - names are our own
        f"values ({', '.join('?' * len(names))})"
    )


def encode(record: Record) -> list[object]:
    """Values of a record in the order of :func:`columns`."""
    return [encode_field(field.name, getattr(record, field.name)) for field in dataclasses.fields(record)]


def encode_field(name: str, value: object) -> object:
    """One value as SQLite takes it."""
    if name in _JSON and value is not None:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if name in _FLAGS:
        return int(bool(value))
    return value


def decode(record: type[R], row: sqlite3.Row) -> R:
    """A record from a row that has all its columns.

    Raises:
        sqlite3.DataError: A column holds what no version of ours has written, or what only a newer one knows.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        name = field.name.rstrip("_")
        try:
            values[field.name] = _decode_field(record, name, row[name])
        except ValueError as error:
            raise sqlite3.DataError(f"{name} in {TABLES[record]} cannot be read: {error}") from error
    return record(**values)


def _decode_field(record: type[Record], name: str, value: Any) -> Any:
    if name in _JSON and value is not None:
        decoded = json.loads(value)
        return tuple(decoded) if name in ("transitions", "overrides") else decoded
    if name in _FLAGS:
        return bool(value)
    if record is Loop and name == "state":
        return State(value)
    if record is Loop and name == "outcome":
        return Outcome(value) if value else None
    return value


def document(row: sqlite3.Row, name: str) -> dict[str, JSON]:
    """A column of a row that holds a JSON object.

    Raises:
        sqlite3.DataError: It holds none.
    """
    try:
        decoded: dict[str, JSON] = json.loads(row[name])
    except ValueError as error:
        raise sqlite3.DataError(f"{name} cannot be read: {error}") from error
    return decoded
