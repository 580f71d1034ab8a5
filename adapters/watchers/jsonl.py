"""The loop's events on stdout, one JSON object a line: ``-o jsonl``.

Read from the table in which they were committed, each once and in the order of ``seq``; what the controller
reports meanwhile only makes the next look come sooner.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import TextIO

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.event import event_object
from wpfsm.adapters.terminal.commands import in_document
from wpfsm.adapters.terminal.visible import visible_json
from wpfsm.adapters.watchers.base import Watcher, own_stream
from wpfsm.fsm.records import JSON, Event
from wpfsm.state.database import explained, open_existing
from wpfsm.state.history import History


def event_document(event: Event) -> dict[str, JSON]:
    """One line of the stream: the event as ``inspect --events`` has it, with the schema it follows."""
    return {"schema": SCHEMA, **event_object(event)}


class Events(Watcher):
    """Streams the events of one loop.

    Args:
        database: The SQLite file.
        loop_id: The loop.
        since: The first event has the next ``seq``.
        stream: Where to; standard output by default.
    """

    def __init__(self, database: Path, loop_id: str, since: int = 0, stream: TextIO | None = None) -> None:
        self._database = database
        self._loop_id = loop_id
        self._seq = since
        self._stream = stream or own_stream(sys.stdout)
        self._owned = stream is None and self._stream is not sys.stdout
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Connect; reading never holds up the controller's own connection."""
        self._connection = open_existing(self._database)

    def tick(self) -> None:
        """Write what is new."""
        if self._connection is None:
            return
        with explained(self._database):
            # All of them before the first is written: a cursor left open while a slow reader takes its
            # time would keep the controller from committing.
            fresh = list(History(self._connection).events(self._loop_id, self._seq))
        for event in fresh:
            document = in_document(event_document(event))
            line = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            self._stream.write(visible_json(line) + "\n")
            self._stream.flush()
            self._seq = event.seq

    def close(self) -> None:
        """Disconnect."""
        with contextlib.closing(self._connection) if self._connection else contextlib.nullcontext():
            if self._owned:
                self._stream.close()
