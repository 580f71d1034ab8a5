"""The rows of one loop for its one owner: all SQL that changes state is here.

Every write is one ``begin immediate`` transaction that first checks the epoch, and so is every read that a
controller acts on: a controller that was taken over learns it here and does nothing more.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wpfsm.fsm.errors import Fenced, NotFound, Overtaken, Refused
from wpfsm.fsm.failpoints import Failpoints
from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import (
    Change,
    Event,
    Intent,
    IntentKind,
    Job,
    Loop,
    Obligation,
    Owner,
    PatchAttempt,
    Proposal,
    State,
    Trial,
)
from wpfsm.state import codec
from wpfsm.state.database import explained


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, path: Path | str) -> Iterator[None]:
    """``begin immediate`` … ``commit``; rolled back on any exception, a signal's included."""
    with explained(path):
        connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        try:
            connection.execute("commit")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("rollback")
            raise


class IdTaken(Exception):
    """A loop of this id exists already."""


def create_loop(
    connection: sqlite3.Connection,
    path: Path,
    loop: Loop,
    why: str,
    known: Sequence[Trial] = (),
    siblings: Sequence[Loop] = (),
) -> None:
    """Insert a new loop with its first event, and with the trials that it knows of another one.

    Args:
        connection: A connection that may write.
        path: The database, for messages.
        loop: The loop; of a group its first lane.
        why: The first event's.
        known: Trials of another loop.
        siblings: The other lanes of its group.

    Raises:
        IdTaken: Another loop has this id; nothing was written.
    """
    with transaction(connection, path):
        if connection.execute("select 1 from loops where id = ?", (loop.id,)).fetchone():
            raise IdTaken(loop.id)
        for each in (loop, *siblings):
            connection.execute(codec.insert(Loop), codec.encode(each))
        for trial in known:
            _write(connection, trial)
        for each in (loop, *siblings):
            _append(connection, loop.id, "created", "", each.state, why, {}, loop.created_at, each.lane)


_OF_A_LANE = frozenset({Job, Intent, Obligation, Event})
"""Rows that one lane writes and works with; trials and proposals are of the whole group."""
UNATTENDED_SECONDS = 60.0
"""Patience counts while somebody watches: after longer than this without an owner, what is waited for begins anew."""


def take_over(
    connection: sqlite3.Connection, path: Path, loop_id: str, owner: Owner, *, forget_stop: bool = False
) -> int:
    """Raise the loop's epoch for a new owner and return it; whoever had the old one is fenced.

    Args:
        connection: A connection that may write.
        path: The database, for messages.
        loop_id: The loop.
        owner: Who takes it.
        forget_stop: A person resumes the loop, and what asked it to stop before is over. Everybody else keeps
            the request: it may have been made between two owners.

    Raises:
        NotFound: There is no such loop.
    """
    with transaction(connection, path):
        row = connection.execute(
            "select loops.epoch, max(updated_at, coalesce(look_at, 0), coalesce(heartbeat, 0)) as attended "
            "from loops left join owners on owners.loop_id = loops.id where loops.id = ?",
            (loop_id,),
        ).fetchone()
        if row is None:
            raise NotFound(f"no loop {loop_id!r} in {path}", fix="wpfsm inspect lists the loops")
        epoch = int(row["epoch"]) + 1
        connection.execute("update loops set epoch = ?, look_at = null where id = ?", (epoch, loop_id))
        if owner.heartbeat - row["attended"] > UNATTENDED_SECONDS:
            connection.execute("update loops set waits = '{}' where id = ?", (loop_id,))
        connection.execute(
            "insert or replace into owners (loop_id, epoch, host, pid, since, heartbeat) values (?, ?, ?, ?, ?, ?)",
            (loop_id, epoch, owner.host, owner.pid, owner.since, owner.heartbeat),
        )
        if forget_stop:
            connection.execute("delete from stop_requests where loop_id = ?", (loop_id,))
    return epoch


def forget_stop(connection: sqlite3.Connection, path: Path, loop_id: str) -> None:
    """A person resumes a group: what asked it to stop before is over, for every lane."""
    with transaction(connection, path):
        connection.execute("delete from stop_requests where loop_id = ?", (loop_id,))


def request_stop(connection: sqlite3.Connection, path: Path, loop_id: str, at: float) -> None:
    """Leave word for the loop's controller to stop."""
    with transaction(connection, path):
        connection.execute("insert or replace into stop_requests (loop_id, at) values (?, ?)", (loop_id, at))


def propose(
    connection: sqlite3.Connection, path: Path, proposal: Proposal, failpoints: Failpoints | None = None
) -> Proposal:
    """Write a proposal, under the next free number; returns it with that number.

    Whoever proposes does not own the loop. The row is all that is written, and the loop's controller, this one or the
    next, finds it there.

    Raises:
        Refused: The loop is over, or on its way out.
    """
    with (failpoints or Failpoints()).around("commit proposed"), transaction(connection, path):
        going_on = connection.execute(
            "select 1 from loops where (id = ?1 or lane_of = ?1) and state not in (?2, ?3)",
            (proposal.loop_id, State.RELEASING, State.CLOSED),
        ).fetchone()
        if going_on is None:
            raise Refused(f"loop {proposal.loop_id} is over: it takes no proposal")
        (number,) = connection.execute(
            "select coalesce(max(number), 0) + 1 from proposals where loop_id = ?", (proposal.loop_id,)
        ).fetchone()
        numbered = replace(proposal, number=number)
        _write(connection, numbered)
    return numbered


class LoopStore:
    """Implements :class:`wpfsm.fsm.ports.Store` on SQLite.

    Args:
        connection: A connection that may write.
        path: The database, for messages.
        loop_id: The loop.
        epoch: The epoch that :func:`take_over` returned.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, loop_id: str, epoch: int) -> None:
        self._connection = connection
        self._path = path
        self.loop_id = loop_id
        self.epoch = epoch
        with explained(path):
            row = connection.execute("select lane_of, lane from loops where id = ?", (loop_id,)).fetchone()
        self.group = str(row["lane_of"] or loop_id) if row else loop_id
        self.lane = int(row["lane"]) if row else 0

    def loop(self) -> Loop:
        """The loop row; raises ``Fenced`` once the epoch has moved on."""
        with explained(self._path):
            row = self._connection.execute("select * from loops where id = ?", (self.loop_id,)).fetchone()
            self._owned_row(row)
            return codec.decode(Loop, row)

    def lanes(self) -> Sequence[Loop]:
        """Every lane of the group, by number; the loop alone where it has no lanes."""
        with explained(self._path):
            rows = self._connection.execute(
                "select * from loops where id = ?1 or lane_of = ?1 order by lane", (self.group,)
            ).fetchall()
            self._check_epoch()
            return [codec.decode(Loop, row) for row in rows]

    def heard_of(self) -> Mapping[int, float]:
        """When each lane's controller was last heard of, by the lane's number."""
        with explained(self._path):
            rows = self._connection.execute(
                "select lane, heartbeat from loops join owners on owners.loop_id = loops.id "
                "where id = ?1 or lane_of = ?1",
                (self.group,),
            ).fetchall()
        return {int(row["lane"]): float(row["heartbeat"]) for row in rows}

    def trials(self) -> Sequence[Trial]:
        """Every trial, by number: of all lanes."""
        return self._records(Trial, "order by number")

    def group_jobs(self) -> Sequence[Job]:
        """Every job of every lane, by number."""
        return self._records(Job, "order by number", every_lane=True)

    def group_obligations(self) -> Sequence[Obligation]:
        """Every obligation of every lane, by the job's name."""
        return self._records(Obligation, "order by job_name", every_lane=True)

    def trial(self, number: int) -> Trial:
        """One trial by number; raises ``LookupError`` when there is none."""
        return self._records(Trial, "and number = ?", number)[0]

    def jobs(self, *, after: int = 0) -> Sequence[Job]:
        """Every job with a number above ``after``, by number."""
        return self._records(Job, "and number > ? order by number", after)

    def last_job(self) -> Job | None:
        """The newest job."""
        return self._job("order by number desc limit 1")

    def job(self, number: int) -> Job | None:
        """One job by number."""
        return self._job("and number = ?", number)

    def job_named(self, name: str) -> Job | None:
        """One job by name."""
        return self._job("and name = ?", name)

    def intents(self, *, open_only: bool = True) -> Sequence[Intent]:
        """Intents, oldest first."""
        which = "and status = 'open' order by rowid" if open_only else "order by rowid"
        return self._records(Intent, which)

    def intents_of(self, job_name: str, kind: IntentKind) -> Sequence[Intent]:
        """Every intent of one kind for one job, oldest first."""
        return self._records(Intent, "and job_name = ? and kind = ? order by number", job_name, kind)

    def obligations(self, *, owed_only: bool = True) -> Sequence[Obligation]:
        """Obligations, oldest first."""
        which = "and status = 'owed' order by job_name" if owed_only else "order by job_name"
        return self._records(Obligation, which)

    def obligation(self, job_name: str) -> Obligation | None:
        """What one job may have left."""
        found = self._records(Obligation, "and job_name = ?", job_name)
        return found[0] if found else None

    def events(self) -> Sequence[Event]:
        """The history."""
        return self._records(Event, "order by seq")

    def rendered(self, source_digest: str) -> Request | None:
        """The base request of a source digest."""
        rows = self._select("rendered", "and source_digest = ?", source_digest)
        with explained(self._path):
            return codec.document(rows[0], "request") if rows else None

    def save_rendered(self, source_digest: str, request: Request) -> None:
        """Keep a base request."""
        with self._owned():
            self._connection.execute(
                "insert or replace into rendered (loop_id, source_digest, request) values (?, ?, ?)",
                (self.group, source_digest, json.dumps(request)),
            )

    def remembered(self, fingerprint: str) -> Sequence[PatchAttempt]:
        """Failure memory over every loop of this database, newest first."""
        with explained(self._path):
            rows = self._connection.execute(
                "select * from remembered where fingerprint = ? order by at desc limit 100", (fingerprint,)
            ).fetchall()
            return [codec.decode(PatchAttempt, row) for row in rows]

    def proposals(self, *, open_only: bool = True) -> Sequence[Proposal]:
        """What was proposed from outside, oldest first."""
        return self._records(
            Proposal, "and status = 'open' order by number" if open_only else "order by number"
        )

    def stop_requested(self) -> bool:
        """Whether ``wpfsm stop`` was asked for and nobody has resumed the loop since."""
        return bool(self._select("stop_requests", ""))

    def beat(self, now: float) -> None:
        """Refresh the heartbeat; raises ``Fenced`` when the loop has another owner."""
        with self._owned():
            self._connection.execute("update owners set heartbeat = ? where loop_id = ?", (now, self.loop_id))

    def rest(self, look_at: float, now: float) -> None:
        """Note when the next turn is due; raises ``Fenced`` when the loop has another owner."""
        with self._owned():
            self._connection.execute("update loops set look_at = ? where id = ?", (look_at, self.loop_id))
            self._connection.execute("update owners set heartbeat = ? where loop_id = ?", (now, self.loop_id))

    def commit(self, change: Change, *, state: State | None = None) -> Loop:
        """Write a change in one transaction and return the loop as it now is."""
        with transaction(self._connection, self._path):
            before = self._connection.execute(
                "select epoch, state, version from loops where id = ?", (self.loop_id,)
            ).fetchone()
            self._owned_row(before)
            if change.expects is not None:
                self._count_together(change.expects)
            after = state or State(before["state"])
            values = {
                **change.loop,
                "state": after,
                "version": before["version"] + 1,
                "updated_at": change.at,
            }
            assignments = ", ".join(f"{name} = ?" for name in values)
            (row,) = self._connection.execute(
                f"update loops set {assignments} where id = ? returning *",  # noqa: S608 - field names of Loop
                [*(codec.encode_field(name, value) for name, value in values.items()), self.loop_id],
            ).fetchall()
            for rows in (
                change.trials,
                change.jobs,
                change.intents,
                change.obligations,
                change.remembered,
                change.proposals,
                change.curves,
            ):
                for record in rows:
                    _write(self._connection, record)
            if not change.quiet:
                _append(
                    self._connection,
                    self.group,
                    change.kind,
                    before["state"],
                    after,
                    change.why,
                    change.data,
                    change.at,
                    self.lane,
                )
            return codec.decode(Loop, row)

    def _count_together(self, expected: int) -> None:
        """Of two lanes that decide on the same rows, the second one asks again.

        Raises:
            Overtaken: A sibling has changed the group's rows since they were read.
        """
        counted = self._connection.execute(
            "update loops set tally = tally + 1 where id = ? and tally = ?", (self.group, expected)
        )
        if counted.rowcount != 1:
            raise Overtaken(f"a sibling of lane {self.lane} was faster")

    @contextlib.contextmanager
    def _owned(self) -> Iterator[None]:
        with transaction(self._connection, self._path):
            self._check_epoch()
            yield

    def _owned_row(self, row: sqlite3.Row | None) -> None:
        if row is None:
            raise NotFound(
                f"loop {self.loop_id!r} is gone from {self._path}", fix="wpfsm inspect lists the loops"
            )
        if row["epoch"] != self.epoch:
            raise Fenced(
                f"loop {self.loop_id} was taken over by another controller (epoch {row['epoch']}, ours {self.epoch})",
                fix=f"wpfsm inspect {self.loop_id} shows who drives it",
            )

    def _check_epoch(self) -> None:
        """After a read: rows read under our epoch are our own, whoever takes the loop over from here on."""
        row = self._connection.execute("select epoch from loops where id = ?", (self.loop_id,)).fetchone()
        self._owned_row(row)

    def _job(self, which: str, *parameters: object) -> Job | None:
        jobs = self._records(Job, which, *parameters)
        return jobs[0] if jobs else None

    def _records(
        self, record: type[codec.R], which: str, *parameters: object, every_lane: bool = False
    ) -> list[codec.R]:
        own = self.lane and not every_lane and record in _OF_A_LANE
        rows = self._select(
            codec.TABLES[record], f"and lane = {self.lane} {which}" if own else which, *parameters
        )
        with explained(self._path):
            return [codec.decode(record, row) for row in rows]

    def _select(self, table: str, which: str, *parameters: object) -> list[sqlite3.Row]:
        with explained(self._path):
            rows = self._connection.execute(
                f"select * from {table} where loop_id = ? {which}",  # noqa: S608 - table and clause are ours
                (self.group, *parameters),
            ).fetchall()
            self._check_epoch()
        return rows


def _write(connection: sqlite3.Connection, record: codec.Record) -> None:
    connection.execute(codec.upsert(type(record)), codec.encode(record))


def _append(
    connection: sqlite3.Connection,
    loop_id: str,
    kind: str,
    source: str,
    target: str,
    why: str,
    data: object,
    at: float,
    lane: int = 0,
) -> None:
    connection.execute(
        "insert into events (loop_id, seq, at, kind, source, target, why, data, lane) "
        "select ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 from events where loop_id = ?1",
        (loop_id, at, kind, source, target, why, codec.encode_field("data", data), lane),
    )
