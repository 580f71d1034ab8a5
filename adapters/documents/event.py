"""The history of a loop as documents and as lines."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from wpfsm.adapters.documents import SCHEMA
from wpfsm.fsm.records import JSON, Event, Loop
from wpfsm.fsm.units import stamp


def event_object(event: Event) -> dict[str, JSON]:
    """One event; a line of ``-o jsonl``."""
    return {
        "seq": event.seq,
        "at": stamp(event.at),
        "loop": event.loop_id,
        "kind": event.kind,
        "from": event.source or None,
        "to": event.target,
        "why": event.why,
        "data": dict(event.data),
        **({"lane": event.lane} if event.lane else {}),
    }


def events_document(loop: Loop, events: Sequence[Event]) -> dict[str, JSON]:
    """What ``inspect ID --events -o json`` prints."""
    return {
        "schema": SCHEMA,
        "loop": {"id": loop.id, "name": loop.name, "state": str(loop.state)},
        "events": [event_object(event) for event in events],
    }


def event_line(event: Event) -> str:
    """``12  15:58:02  Submitting -> Running     submitted  … accepted by the service``."""
    moved = f"{event.source} -> {event.target}" if event.source and event.source != event.target else ""
    where = moved or event.target
    why = event.why.replace("\n", "\n" + " " * 60)
    clock = time.strftime("%H:%M:%S", time.localtime(event.at))  # as `start` tells it
    lane = f"lane {event.lane}  " if event.lane else ""
    return f"{event.seq:>4}  {clock}  {lane}{where:<24}  {event.kind:<15}  {why}{_guards(event)}"


def _guards(event: Event) -> str:
    guards = event.data.get("guards")
    if not isinstance(guards, Mapping) or not guards:
        return ""
    return "  [" + ", ".join(f"{name}: {_word(value)}" for name, value in guards.items()) + "]"


def _word(value: JSON) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
