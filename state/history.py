"""Reads for people and programs: any loop, by anyone, without owning it.

Imports nothing that is slow to import, so that verbs that only read start fast.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import JSON, Event, Intent, Job, Loop, Obligation, Owner, State, Trial
from wpfsm.state import codec


@dataclass(frozen=True)
class LoopHeader:
    """A loop in a list."""

    id: str
    name: str
    state: str
    outcome: str | None
    why: str
    backend: str
    created_at: float
    updated_at: float
    jobs: int
    handoff: bool


class History:
    """Queries over a connection that may be read-only."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def loops(self, limit: int = 1000, *, unfinished: bool = False) -> Sequence[LoopHeader]:
        """Loops, newest first."""
        where = "where state <> 'Closed'" if unfinished else ""
        rows = self._connection.execute(
            "select id, name, state, outcome, why, backend, created_at, updated_at, "  # noqa: S608 - fixed clause
            "(select coalesce(max(number), 0) from jobs where loop_id = loops.id) as jobs, "
            "handoff is not null and state <> 'Closed' as handoff "
            f"from loops {where} order by created_at desc limit ?",
            (limit,),
        )
        return [LoopHeader(**{**dict(row), "handoff": bool(row["handoff"])}) for row in rows]

    def find(self, which: str) -> Loop:
        """A loop by its id, or by a prefix or name that is unique.

        Raises:
            NotFound: None matches, or several do.
        """
        rows = self._connection.execute(
            "select * from loops where id = ?1 or name = ?1 or id like ?1 || '%' order by id = ?1 desc, "
            "created_at desc limit 3",
            (which,),
        ).fetchall()
        exact = [row for row in rows if row["id"] == which]
        if not rows:
            raise NotFound(f"no loop {which!r}", fix="wpfsm inspect lists the loops")
        if not exact and len(rows) > 1:
            names = ", ".join(row["id"] for row in rows)
            raise NotFound(f"{which!r} could be any of {names}", fix="give the whole id")
        return codec.decode(Loop, (exact or rows)[0])

    def waiting_on(self, pool_key: str, besides: str, now: float) -> Loop | None:
        """Another loop whose hand-off holds a pool of this key at this moment."""
        row = self._connection.execute(
            "select * from loops where pool_key = ? and id <> ? and handoff is not null and hold_until > ? "
            "and state <> 'Closed' limit 1",
            (pool_key, besides, now),
        ).fetchone()
        return codec.decode(Loop, row) if row else None

    def newest(self) -> Loop | None:
        """The newest loop."""
        row = self._connection.execute("select * from loops order by created_at desc limit 1").fetchone()
        return codec.decode(Loop, row) if row else None

    def jobs(self, loop_id: str) -> Sequence[Job]:
        """Jobs of a loop, by number."""
        return [codec.decode(Job, row) for row in self._of("jobs", loop_id, "number")]

    def job_named(self, name: str) -> Job | None:
        """A job by its name, of any loop."""
        row = self._connection.execute("select * from jobs where name = ?", (name,)).fetchone()
        return codec.decode(Job, row) if row else None

    def rendered(self, loop_id: str, key: str) -> dict[str, JSON]:
        """A base request of a source digest and entry (``digest:entry``); empty when none was rendered.

        Several differ at most in members that each job's own row holds.
        """
        row = self._connection.execute(
            "select request from rendered where loop_id = ? and substr(source_digest, 1, ?) = ? limit 1",
            (loop_id, len(key) + 1, f"{key}:"),
        ).fetchone()
        base: dict[str, JSON] = json.loads(row["request"]) if row else {}
        return base

    def trials(self, loop_id: str) -> Sequence[Trial]:
        """Trials of a loop, by number."""
        return [codec.decode(Trial, row) for row in self._of("trials", loop_id, "number")]

    def intents(self, loop_id: str) -> Sequence[Intent]:
        """Intents of a loop."""
        return [codec.decode(Intent, row) for row in self._of("intents", loop_id, "rowid")]

    def obligations(self, loop_id: str) -> Sequence[Obligation]:
        """Obligations of a loop."""
        return [codec.decode(Obligation, row) for row in self._of("obligations", loop_id, "job_name")]

    def owed(self) -> Sequence[Obligation]:
        """Open obligations of every loop."""
        rows = self._connection.execute(
            "select * from obligations where status = 'owed' order by loop_id, job_name"
        )
        return [codec.decode(Obligation, row) for row in rows]

    def events(self, loop_id: str, since: int = 0) -> Iterator[Event]:
        """Events of a loop after ``since``, in order."""
        rows = self._connection.execute(
            "select * from events where loop_id = ? and seq > ? order by seq", (loop_id, since)
        )
        for row in rows:
            yield codec.decode(Event, row)

    def last_event(self, loop_id: str) -> Event | None:
        """The newest event of a loop."""
        row = self._connection.execute(
            "select * from events where loop_id = ? order by seq desc limit 1", (loop_id,)
        ).fetchone()
        return codec.decode(Event, row) if row else None

    def owner(self, loop_id: str) -> Owner | None:
        """Who drives the loop, or drove it last."""
        row = self._connection.execute(
            "select host, pid, since, heartbeat from owners where loop_id = ?", (loop_id,)
        ).fetchone()
        return Owner(**dict(row)) if row else None

    def unfinished(self) -> Sequence[Loop]:
        """Loops that are not Closed, newest first."""
        rows = self._connection.execute(
            "select * from loops where state <> ? order by updated_at desc", (str(State.CLOSED),)
        )
        return [codec.decode(Loop, row) for row in rows]

    def _of(self, table: str, loop_id: str, order: str) -> list[sqlite3.Row]:
        return self._connection.execute(
            f"select * from {table} where loop_id = ? order by {order}",  # noqa: S608 - names are ours
            (loop_id,),
        ).fetchall()
