"""Hand-offs as the rows keep them. Loaded when a loop has one: most that are read have none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.records.handoff import (
    EditableSource,
    FailureHandoff,
    Handoff,
    HeldPool,
    Left,
    Question,
    ShownTrial,
)

T = TypeVar("T")


def handoff_of(data: Mapping[str, Any]) -> Handoff:
    """A hand-off from its JSON; members that a version has not written keep their defaults.

    Raises:
        ValueError: It is none of ours; so do ``KeyError`` and ``TypeError``.
    """
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
