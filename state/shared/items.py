"""Records to items and back: the keys of the table, and what stands beside a record's text.

A record is kept as the text of its columns, so that a field which an older version does not know is left
alone and one which it did not write has its default. What is asked for by value (the epoch, the state, when
to look again) stands beside it as attributes of its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from wpfsm.fsm.errors import StoreError
from wpfsm.fsm.records import (
    Curve,
    Event,
    Intent,
    Job,
    Loop,
    Obligation,
    PatchAttempt,
    Proposal,
    State,
    Trial,
)
from wpfsm.state import codec
from wpfsm.state.shared.table import Blobs, Item, Value

LOOP, STOP, WAKE = "LOOP", "STOP", "WAKE"
GROUP = "GROUP"
"""Beside the first lane's loop: the ids of the lanes, their one history's last number, and how often they moved."""
ROW = "ROW#"
"""Begins the keys of what a loop's owner works with; its history and its rendered requests do not."""
EVENT, RENDERED = "EVENT#", "RENDERED#"
CURVE = "CURVE#"
"""Begins the keys of what jobs reported, which nobody works with until a page is drawn."""
PROPOSAL = "PROPOSAL#"
"""Begins the keys of what others ask for: its owner reads them anew each time, for it did not write them."""
MOST_BYTES = 64 * 1024
"""A record beyond this goes to S3: an item may have 400 KB, and each read pays for all of it."""
_BESIDE = ("epoch", "version", "look_at", "generation")
"""Fields of a loop that are attributes only: others than its owner read or write them."""


def key_of(record: codec.Record) -> tuple[str, str]:
    """``pk`` and ``sk`` of a record."""
    match record:
        case Loop():
            return record.id, LOOP
        case Trial():
            return record.loop_id, f"{ROW}TRIAL#{record.number:06}"
        case Job():
            return record.loop_id, f"{ROW}JOB#{record.number:06}"
        case Intent():
            return record.loop_id, f"{ROW}INTENT#{record.job_name}#{record.kind}#{record.number:06}"
        case Obligation():
            return record.loop_id, f"{ROW}OWED#{record.job_name}"
        case Event():
            return record.loop_id, f"{EVENT}{record.seq:09}"
        case Curve():
            return record.loop_id, f"{CURVE}{record.job:06}#{record.metric}"
        case Proposal():
            return record.loop_id, f"{PROPOSAL}{record.number:06}"
        case PatchAttempt():
            return f"MEMORY#{record.fingerprint}", f"{record.loop_id}#{record.job_name}"


def item_of(record: codec.Record, blobs: Blobs, **attributes: Value) -> dict[str, Value]:
    """A record as an item."""
    pk, sk = key_of(record)
    return {"pk": pk, "sk": sk, **body_of(record, blobs), **beside(record), **attributes}


def body_of(record: codec.Record, blobs: Blobs) -> dict[str, Value]:
    """The attribute that holds a record's columns: their text, or the name of the object that has it."""
    text = json.dumps(dict(zip(codec.columns(type(record)), codec.encode(record), strict=True)))
    if len(text) <= MOST_BYTES:
        return {"body": text}
    content = text.encode()
    name = f"rows/{hashlib.sha256(content).hexdigest()}.json"
    blobs.put(name, content)
    return {"body": "", "body_at": name}


def beside(record: codec.Record) -> dict[str, Value]:
    """What stands beside a record's columns, for an index or for a list."""
    if isinstance(record, Obligation) and record.status == "owed":
        return {"owed": "yes"}
    if isinstance(record, Job) and record.lane:
        return {"lane": record.lane}  # whom an event of the job wakes
    return {}


def header_of(loop: Loop) -> dict[str, Value | None]:
    """A loop's attributes: what a list of loops shows, and what the indexes are made of.

    The list shows a group by its first lane; the index of what is not finished has every lane, for each has an
    execution of its own.
    """
    return {
        "listed": None if loop.lane_of else "yes",
        "unfinished": None if loop.state is State.CLOSED else "yes",
        "name": loop.name,
        "state": str(loop.state),
        "outcome": str(loop.outcome) if loop.outcome else None,
        "why": loop.why[:1000],
        "backend": loop.backend,
        "created_at": loop.created_at,
        "updated_at": loop.updated_at,
        "handoff": loop.handoff is not None and loop.state is not State.CLOSED,
        "version": loop.version,
    }


def record_of(record: type[codec.R], item: Item, blobs: Blobs) -> codec.R:
    """A record from its item.

    Raises:
        StoreError: The item holds what no version of ours has written, or its object is gone.
    """
    columns: dict[str, Any] = json.loads(_text(item, blobs))
    if record is Loop:
        columns |= {name: item.get(name) for name in _BESIDE}
    for name, default in _DEFAULTS[record].items():
        columns.setdefault(name, default)
    try:
        return codec.decode(record, columns)
    except Exception as error:
        raise StoreError(
            f"item {item['pk']} {item['sk']} cannot be read: {error}",
            fix="it was left as it is; `wpfsm gc` finds pools without it",
        ) from error


def commit_token(loop: Loop, at: float, moved: int | None = None) -> str:
    """Names one commit: the same one, sent again, has the same."""
    return hashlib.sha256(f"{loop.id}/{loop.epoch}/{loop.version}/{at}/{moved}".encode()).hexdigest()[:36]


def _text(item: Item, blobs: Blobs) -> str:
    if not (name := item.get("body_at")):
        return str(item["body"])
    content = blobs.get(str(name))
    if content is None:
        raise StoreError(
            f"item {item['pk']} {item['sk']}: its object {name} is gone from the bucket",
            fix="`wpfsm gc` finds pools of ours without it",
        )
    return content.decode()


def _defaults(record: type[codec.Record]) -> Mapping[str, object]:
    """Columns that an older version did not write, as it would have written them."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(record):
        if field.default is not dataclasses.MISSING:
            found[field.name.rstrip("_")] = codec.encode_field(field.name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name.rstrip("_")] = codec.encode_field(field.name, field.default_factory())
    return found


_DEFAULTS = {record: _defaults(record) for record in codec.TABLES}
