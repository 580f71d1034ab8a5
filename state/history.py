"""Reads for people and programs: any loop, by anyone, without owning it.

Imports nothing that is slow to import, so that verbs that only read start fast.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import (
    JSON,
    Curve,
    Event,
    Intent,
    Job,
    Loop,
    LoopHeader,
    Obligation,
    Owner,
    Proposal,
    State,
    Trial,
)
from wpfsm.state import codec
from wpfsm.state.database import explained
from wpfsm.state.derived_reads import DerivedReads


class History(DerivedReads):
    """Implements :class:`wpfsm.fsm.ports.History` over a connection that may be read-only; each raises ``StoreError`` when the file is damaged."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        with explained("the database"):
            self._path = str(connection.execute("pragma database_list").fetchone()[2])

    def loops(self, limit: int = 1000, *, unfinished: bool = False) -> Sequence[LoopHeader]:
        """Loops, newest first."""
        where = "where lane_of = ''" + (" and state <> 'Closed'" if unfinished else "")
        rows = self._rows(
            "select id, name, state, outcome, why, backend, created_at, updated_at, "  # noqa: S608 - fixed clause
            "(select coalesce(max(number), 0) from jobs where loop_id = loops.id) as jobs, "
            "handoff is not null and state <> 'Closed' as handoff "
            f"from loops {where} order by created_at desc limit ?",
            limit,
        )
        return [LoopHeader(**{**dict(row), "handoff": bool(row["handoff"])}) for row in rows]

    def places(self) -> Sequence[tuple[str, str, str]]:
        """Where loops ran: backend, region and endpoint (empty for the backend's own), each once, the newest first."""
        rows = self._rows(
            "select backend, region, endpoint_url from loops group by 1, 2, 3 order by max(created_at) desc"
        )
        return [(row["backend"], row["region"], row["endpoint_url"]) for row in rows]

    def find(self, which: str, *, acting: bool = False) -> Loop:
        """A loop by its id; else by its name, which means the newest one; else by a prefix of exactly one id.

        Args:
            which: An id, a name or the beginning of an id; nothing in it is a wildcard.
            acting: A name means the one loop of it that is not closed, if there is one.

        Raises:
            NotFound: None matches, or several could be meant.
        """
        if rows := self._rows("select * from loops where id = ?", which):
            return self._decoded(Loop, rows)[0]
        newest = "order by created_at desc, rowid desc limit"
        if acting:
            rows = self._rows(
                f"select * from loops where name = ? and lane_of = '' and state <> 'Closed' {newest} 4",  # noqa: S608 - fixed clause
                which,
            )
            if len(rows) > 1:
                raise _ambiguous(which, rows)
        rows = rows or self._rows(f"select * from loops where name = ? and lane_of = '' {newest} 1", which)  # noqa: S608 - fixed clause
        if not rows and which:
            rows = self._rows(
                f"select * from loops where substr(id, 1, length(?1)) = ?1 and lane_of = '' {newest} 4",  # noqa: S608 - fixed clause
                which,
            )
        if not rows:
            raise NotFound(f"no loop {which!r}", fix="wpfsm inspect lists the loops")
        if len(rows) > 1:
            raise _ambiguous(which, rows)
        return self._decoded(Loop, rows)[0]

    def count_named(self, name: str) -> int:
        """How many loops have this name."""
        return int(self._rows("select count(*) from loops where name = ? and lane_of = ''", name)[0][0])

    def lanes(self, loop_id: str) -> Sequence[Loop]:
        """The lanes of a group by number; none of a loop without lanes."""
        return self._records(
            Loop, "select * from loops where (id = ?1 or lane_of = ?1) and lane > 0 order by lane", loop_id
        )

    def waiting_on(self, pool_key: str, besides: str, now: float) -> Loop | None:
        """Another loop whose hand-off holds a pool of this key at this moment."""
        waiting = self._records(
            Loop,
            "select * from loops where pool_key = ?1 and id <> ?2 and lane_of <> ?2 and handoff is not null "
            "and hold_until > ?3 and state <> 'Closed' limit 1",
            pool_key,
            besides,
            now,
        )
        return waiting[0] if waiting else None

    def newest(self) -> Loop | None:
        """The newest loop."""
        return next(
            iter(
                self._records(Loop, "select * from loops where lane_of = '' order by created_at desc limit 1")
            ),
            None,
        )

    def jobs(self, loop_id: str) -> Sequence[Job]:
        """Jobs of a loop, by number."""
        return self._of(Job, loop_id, "number")

    def job_named(self, name: str) -> Job | None:
        """A job by its name, of any loop."""
        return next(iter(self._records(Job, "select * from jobs where name = ?", name)), None)

    def rendered(self, loop_id: str, key: str) -> dict[str, JSON]:
        """A base request of a source digest and entry (``digest:entry``); empty when none was rendered.

        Several differ at most in members that each job's own row holds.
        """
        rows = self._rows(
            "select request from rendered where loop_id = ? and substr(source_digest, 1, ?) = ? limit 1",
            loop_id,
            len(key) + 1,
            f"{key}:",
        )
        with explained(self._path):
            return codec.document(rows[0], "request") if rows else {}

    def curves(self, loop_id: str) -> Sequence[Curve]:
        """What the jobs of a loop reported, by job and metric."""
        return self._of(Curve, loop_id, "job, metric")

    def trials(self, loop_id: str) -> Sequence[Trial]:
        """Trials of a loop, by number."""
        return self._of(Trial, loop_id, "number")

    def proposals(self, loop_id: str) -> Sequence[Proposal]:
        """What was proposed to a loop from outside, by number."""
        return self._of(Proposal, loop_id, "number")

    def intents(self, loop_id: str) -> Sequence[Intent]:
        """Intents of a loop."""
        return self._of(Intent, loop_id, "rowid")

    def obligations(self, loop_id: str) -> Sequence[Obligation]:
        """Obligations of a loop."""
        return self._of(Obligation, loop_id, "job_name")

    def owed(self) -> Sequence[Obligation]:
        """Open obligations of every loop."""
        return self._records(
            Obligation, "select * from obligations where status = 'owed' order by loop_id, job_name"
        )

    def events(self, loop_id: str, since: int = 0) -> Iterator[Event]:
        """Events of a loop after ``since``, in order."""
        with explained(self._path):
            rows = self._connection.execute(
                "select * from events where loop_id = ? and seq > ? order by seq", (loop_id, since)
            )
            for row in rows:
                yield codec.decode(Event, row)

    def last_event(self, loop_id: str) -> Event | None:
        """The newest event of a loop."""
        last = self._records(
            Event, "select * from events where loop_id = ? order by seq desc limit 1", loop_id
        )
        return last[0] if last else None

    def owner(self, loop_id: str) -> Owner | None:
        """Who drives the loop, or drove it last."""
        rows = self._rows("select host, pid, since, heartbeat from owners where loop_id = ?", loop_id)
        return Owner(**dict(rows[0])) if rows else None

    def stop_requested(self, loop_id: str) -> bool:
        """Whether word was left for the loop's controller to stop, and nobody has resumed the loop since."""
        return bool(self._rows("select 1 from stop_requests where loop_id = ?", loop_id))

    def unfinished(self) -> Sequence[Loop]:
        """Loops that are not Closed, newest first."""
        return self._records(
            Loop,
            "select * from loops where state <> ? and lane_of = '' order by updated_at desc",
            str(State.CLOSED),
        )

    def _of(self, record: type[codec.R], loop_id: str, order: str) -> list[codec.R]:
        return self._records(
            record,
            f"select * from {codec.TABLES[record]} where loop_id = ? order by {order}",  # noqa: S608 - names are ours
            loop_id,
        )

    def _records(self, record: type[codec.R], query: str, *parameters: object) -> list[codec.R]:
        return self._decoded(record, self._rows(query, *parameters))

    def _decoded(self, record: type[codec.R], rows: Sequence[sqlite3.Row]) -> list[codec.R]:
        with explained(self._path):
            return [codec.decode(record, row) for row in rows]

    def _rows(self, query: str, *parameters: object) -> list[sqlite3.Row]:
        with explained(self._path):
            return self._connection.execute(query, parameters).fetchall()


def _ambiguous(which: str, rows: Sequence[sqlite3.Row]) -> NotFound:
    shown = [str(row["id"]) for row in rows[:3]]
    names = ", ".join(shown) + (", ..." if len(rows) > len(shown) else "")
    return NotFound(
        f"{which!r} could be any of {names}", fix="give the whole id; wpfsm inspect lists the loops"
    )
