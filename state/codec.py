"""Records to rows and back."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from wpfsm.fsm.records import Event, Intent, Job, Loop, Obligation, Outcome, Remembered, State, Trial

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
        ValueError: The row holds a state or outcome that this version does not know.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        name = field.name.rstrip("_")
        value = row[name]
        if name in _JSON and value is not None:
            value = json.loads(value)
            if name in ("transitions", "overrides"):
                value = tuple(value)
        elif name in _FLAGS:
            value = bool(value)
        values[field.name] = value
    if record is Loop:
        values["state"] = State(values["state"])
        values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return record(**values)
