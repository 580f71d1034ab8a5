"""Records to rows and back."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol, TypeAlias, TypeVar

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.ports import Price
from wpfsm.fsm.records import (
    JSON,
    Curve,
    EditableSource,
    Event,
    FailureHandoff,
    Handoff,
    HeldPool,
    Intent,
    Job,
    JobPatch,
    Left,
    Loop,
    Obligation,
    Outcome,
    PatchAttempt,
    Proposal,
    Question,
    Receipt,
    ReceiptLine,
    ShownTrial,
    State,
    Trial,
)
from wpfsm.fsm.request.lock import LockedFields

Record: TypeAlias = Loop | Trial | Job | Intent | Obligation | Event | PatchAttempt | Proposal | Curve
T = TypeVar("T")
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
                raise sqlite3.DataError(f"{name} in {TABLES[record]} cannot be read: {error}") from error
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
    """A row member as JSON has it."""
    if isinstance(value, Diagnosis | LockedFields | FailureHandoff | Question):
        return value.to_json()
    return asdict(value) if isinstance(value, Price | Receipt | JobPatch) else value


def _explained(read: Callable[[str], T]) -> Callable[[str], T]:
    """A reader for which a member that is missing or of another kind is damage, like text that is no JSON."""

    def reader(text: str) -> T:
        try:
            return read(text)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    return reader


def _price(text: str) -> Price:
    data = json.loads(text)
    return Price(
        float(data["usd_per_hour"]), data["source"], data["as_of"], data["region"], data["instance_type"]
    )


def _lock(text: str) -> LockedFields:
    return LockedFields.from_json(json.loads(text))


def _receipt(text: str) -> Receipt:
    data = json.loads(text)
    jobs = tuple(ReceiptLine(line["job"], line["evidence"], line["at"]) for line in data["jobs"])
    return Receipt(data["at"], data["account"], data["region"], data["endpoint_url"], jobs)


def _diagnosis(text: str) -> Diagnosis:
    return Diagnosis.from_json(json.loads(text))


def _patch(text: str) -> JobPatch:
    """Members that a version has not written keep their defaults."""
    data = {name: value for name, value in json.loads(text).items() if name in _PATCH_MEMBERS}
    return JobPatch(**{**data, "files": tuple(data.get("files") or ())})


def _handoff(text: str) -> Handoff:
    """Members that a version has not written keep their defaults."""
    data = json.loads(text)
    diagnosis = Diagnosis.from_json(data["diagnosis"]) if data.get("diagnosis") else None
    accepted = tuple(key for key in str(data.get("accepted") or "").split(", ") if key)
    given: dict[str, Any] = {
        "loop": data.get("loop", ""),
        "job": data.get("job"),
        "trial": data.get("trial"),
        "label": data.get("label", ""),
        "pool": _members(HeldPool, data.get("pool")),
        "opened_at": data.get("opened_at"),
        "resume": tuple(data.get("resume") or ()),
        "give_up": tuple(data.get("give_up") or ()),
        "accepted": accepted,
    }
    if data.get("kind", "failure") != "failure":
        best, base = data.get("best"), data.get("base")
        return Question(
            kind="limit" if data["kind"] == "limit" else "ask",
            why=data.get("why", ""),
            verdict=data.get("verdict", ""),
            verdict_why=data.get("verdict_why", ""),
            metric=data.get("metric"),
            diagnosis=diagnosis,
            best=_members(ShownTrial, best) if best else None,
            base=_members(ShownTrial, base) if base else None,
            left=_members(Left, data.get("left")),
            **given,
        )
    if diagnosis is None:
        raise ValueError("a failed job's hand-off has no diagnosis")
    source = data.get("source") or {}
    names = {name: tuple(source.get(name) or ()) for name in ("files", "patched")}
    return FailureHandoff(
        diagnosis=diagnosis,
        location=data.get("location"),
        untrusted=data.get("untrusted", ""),
        tried=tuple(data.get("tried") or ()),
        source=_members(EditableSource, {**source, **names}),
        params=data.get("params") or {},
        redraw=bool(data.get("redraw")),
        **given,
    )


def _members(record: Callable[..., T], data: Mapping[str, Any] | None) -> T:
    """A part of a row from its JSON; members of another version are left out."""
    known = {field.name for field in dataclasses.fields(record)}  # type: ignore[arg-type]
    return record(**{name: value for name, value in (data or {}).items() if name in known})


_PATCH_MEMBERS = frozenset(field.name for field in dataclasses.fields(JobPatch))
_TYPED: Mapping[str, Callable[[str], Any]] = {
    "price": _explained(_price),
    "lock": _explained(_lock),
    "handoff": _explained(_handoff),
    "receipt": _explained(_receipt),
    "diagnosis": _explained(_diagnosis),
    "patch": _explained(_patch),
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
