"""Records to rows and back."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from wpfsm.fsm.records import (
    JSON,
    Curve,
    Event,
    Intent,
    Job,
    JobPatch,
    Loop,
    Obligation,
    Outcome,
    PatchAttempt,
    Price,
    Proposal,
    Receipt,
    ReceiptLine,
    State,
    Trial,
)

if TYPE_CHECKING:
    from wpfsm.fsm.failures.model import Diagnosis
    from wpfsm.fsm.records.handoff import Handoff
    from wpfsm.fsm.request.lock import LockedFields

Record: TypeAlias = Loop | Trial | Job | Intent | Obligation | Event | PatchAttempt | Proposal | Curve
R = TypeVar("R", Loop, Trial, Job, Intent, Obligation, Event, PatchAttempt, Proposal, Curve)

TABLES: Mapping[type, str] = {
    Loop: "loops",
    Trial: "trials",
    Job: "jobs",
    Intent: "intents",
    Obligation: "obligations",
    Event: "events",
    PatchAttempt: "remembered",
    Proposal: "proposals",
    Curve: "curves",
}
_JSON = frozenset(
    {
        "loop_file",
        "lock",
        "handoff",
        "price",
        "receipt",
        "params",
        "environment",
        "overrides",
        "request",
        "metrics",
        "diagnosis",
        "patch",
        "transitions",
        "data",
        "waits",
        "points",
    }
)
_FLAGS = frozenset({"smoke", "carry_checkpoint", "seen", "again"})


_FIELDS: Mapping[type, tuple[str, ...]] = {
    record: tuple(field.name for field in dataclasses.fields(record)) for record in TABLES
}
_COLUMNS: Mapping[type, tuple[str, ...]] = {
    record: tuple(name.rstrip("_") for name in names) for record, names in _FIELDS.items()
}


def columns(record: type[Record]) -> tuple[str, ...]:
    """Column names of a record type, in the order of its fields."""
    return _COLUMNS[record]


def insert(record: type[Record]) -> str:
    """SQL that writes a whole new row; it fails when there is one of the same key."""
    return upsert(record).replace("insert or replace", "insert", 1)


def upsert(record: type[Record]) -> str:
    """SQL that writes a whole row; the row of the same key is replaced."""
    names = columns(record)
    return (
        f"insert or replace into {TABLES[record]} ({', '.join(names)}) "  # noqa: S608 - names are our own
        f"values ({', '.join('?' * len(names))})"
    )


def encode(record: Record) -> list[object]:
    """Values of a record in the order of :func:`columns`."""
    return [encode_field(field, getattr(record, field)) for field in _FIELDS[type(record)]]


def encode_field(name: str, value: object) -> object:
    """One value as SQLite takes it."""
    if name in _JSON and value is not None:
        return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if name in _FLAGS:
        return int(bool(value))
    return value


class Columns(Protocol):
    """A row of a database: its columns by name."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""
        ...


def decode(record: type[R], row: Columns) -> R:
    """A record from a row that has all its columns.

    Raises:
        sqlite3.DataError: A column holds what no version of ours has written, or what only a newer one knows.
    """
    values: list[Any] = []
    for name, read in zip(columns(record), _READERS[record], strict=True):
        try:
            value = row[name]
        except IndexError as error:
            raise sqlite3.DataError(f"{TABLES[record]} has no column {name}") from error
        if read is not None and value is not None:
            try:
                value = read(value)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise sqlite3.DataError(
                    f"{name} in {TABLES[record]} cannot be read: {type(error).__name__}: {error}"
                ) from error
        values.append(value)
    return record(*values)


def _reader(record: type, name: str) -> Callable[[Any], Any] | None:
    if name in ("transitions", "overrides"):
        return _as_tuple
    if name == "points":
        return _points
    if name in _TYPED:
        return _TYPED[name]
    if name in _JSON:
        return json.loads
    if name in _FLAGS:
        return bool
    if record is Loop:
        return {"state": State, "outcome": Outcome}.get(name)
    return None


def _plain(value: object) -> object:
    """A member of a row as JSON has it."""
    to_json = getattr(value, "to_json", None)
    if to_json is not None:
        return to_json()
    return dataclasses.asdict(value) if isinstance(value, Price | Receipt | JobPatch) else value


def _price(text: str) -> Price:
    data = json.loads(text)
    return Price(
        float(data["usd_per_hour"]), data["source"], data["as_of"], data["region"], data["instance_type"]
    )


def _receipt(text: str) -> Receipt:
    data = json.loads(text)
    jobs = tuple(ReceiptLine(line["job"], line["evidence"], line["at"]) for line in data["jobs"])
    return Receipt(data["at"], data["account"], data["region"], data["endpoint_url"], jobs)


_PATCH_MEMBERS = frozenset(field.name for field in dataclasses.fields(JobPatch))


def _patch(text: str) -> JobPatch:
    """Members that a version has not written keep their defaults."""
    data = {name: value for name, value in json.loads(text).items() if name in _PATCH_MEMBERS}
    return JobPatch(**{**data, "files": tuple(data.get("files") or ())})


# What these are made of is loaded with the first row that has one: a list of loops needs none of it.


def _lock(text: str) -> LockedFields:
    from wpfsm.fsm.request.lock import LockedFields

    return LockedFields.from_json(json.loads(text))


def _diagnosis(text: str) -> Diagnosis:
    from wpfsm.fsm.failures.model import Diagnosis

    return Diagnosis.from_json(json.loads(text))


def _handoff(text: str) -> Handoff:
    from wpfsm.state.handoffs import handoff_of

    return handoff_of(json.loads(text))


_TYPED: Mapping[str, Callable[[str], object]] = {
    "price": _price,
    "lock": _lock,
    "handoff": _handoff,
    "receipt": _receipt,
    "diagnosis": _diagnosis,
    "patch": _patch,
}


def _points(text: str) -> tuple[tuple[int, float, float | None], ...]:
    return tuple(
        (int(number), float(at), None if value is None else float(value))
        for number, at, value in json.loads(text)
    )


def _as_tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


_READERS = {record: [_reader(record, name) for name in names] for record, names in _COLUMNS.items()}
"""For each column what makes a field of it; None where it is one already."""


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
