"""The rows of one loop for its one owner, in a table that every machine of a team sees.

A commit is one transaction, conditional on the loop's epoch and version. Only the owner writes, so its rows
are read once and then served from memory; before each of them, as before each call to the service, the loop
is read again, so that an owner that was replaced learns it and does nothing more.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from wpfsm.fsm.errors import Fenced, NotFound, Refused, StoreError
from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import (
    Change,
    Curve,
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
from wpfsm.state.shared.items import (
    EVENT,
    LOOP,
    PROPOSAL,
    RENDERED,
    ROW,
    STOP,
    body_of,
    header_of,
    item_of,
    key_of,
    record_of,
)
from wpfsm.state.shared.table import Blobs, Item, Table, Update, Value
from wpfsm.state.store import UNATTENDED_SECONDS

TURN_SECONDS = 900.0
"""The longest that a function may run: a turn that has begun is over by then."""
_KINDS: dict[str, type[Any]] = {"TRIAL": Trial, "JOB": Job, "INTENT": Intent, "OWED": Obligation}


def create_loop(table: Table, blobs: Blobs, loop: Loop, why: str, trials: Sequence[Trial] = ()) -> None:
    """Insert a new loop with its first event.

    Args:
        table: The table.
        blobs: Where large records go.
        loop: Its row.
        why: In words.
        trials: What it knows from an earlier loop. They are written first: without its row there is no loop.

    Raises:
        StoreError: There is a loop of this id already.
    """
    if trials and table.get(loop.id, LOOP) is not None:
        raise _taken(table, loop)
    for order, trial in enumerate(trials):
        table.put(item_of(trial, blobs, order=order))
    event = Event(loop.id, 1, loop.created_at, "created", "", str(loop.state), why)
    values: dict[str, Value | None] = {
        **body_of(loop, blobs),
        **header_of(loop, 0),
        "epoch": loop.epoch,
        "seq": 1,
        "generation": loop.generation,
        "due": loop.created_at + TURN_SECONDS,
    }
    made = table.transact(
        Update(loop.id, LOOP, values, {"epoch": None}), [item_of(event, blobs)], _token(loop, loop.created_at)
    )
    if not made:
        raise _taken(table, loop)


def _taken(table: Table, loop: Loop) -> StoreError:
    return StoreError(f"there is a loop {loop.id} in {table.name} already", fix="start it again")


def take_over(
    table: Table,
    blobs: Blobs,
    loop_id: str,
    owner: Owner,
    *,
    forget_stop: bool = False,
    most: float = TURN_SECONDS,
) -> int:
    """Raise the loop's epoch for a new owner and return it; whoever had the old one is fenced.

    Args:
        table: The table.
        blobs: Where large records are.
        loop_id: The loop.
        owner: Who takes it.
        forget_stop: A person resumes the loop, and what asked it to stop before is over.
        most: Seconds that the owner has; the sweep takes it for dead some minutes after.

    Raises:
        NotFound: There is no such loop.
        StoreError: Others take it over at the same moment, again and again.
    """
    for _ in range(50):
        item = _existing(table, loop_id)
        epoch = int(item["epoch"]) + 1
        values: dict[str, Value | None] = {
            "epoch": epoch,
            "host": owner.host,
            "pid": owner.pid,
            "since": owner.since,
            "heartbeat": owner.heartbeat,
            "look_at": None,
            "due": owner.heartbeat + most,
        }
        if owner.heartbeat - _attended(item) > UNATTENDED_SECONDS:
            loop = record_of(Loop, item, blobs)
            values |= {"body_at": None, **body_of(dataclasses.replace(loop, waits={}), blobs)}
        where = {"epoch": item["epoch"], "version": item["version"]}
        if table.update(Update(loop_id, LOOP, values, where)):
            if forget_stop:
                table.delete(loop_id, STOP)
            return epoch
    raise StoreError(f"loop {loop_id} is taken over again and again by others", fix="try again in a minute")


def _attended(item: Item) -> float:
    """Until when somebody watched over the loop, or was due to look again."""
    return max(float(item.get("heartbeat") or item["created_at"]), float(item.get("look_at") or 0))


def request_stop(table: Table, loop_id: str, at: float) -> None:
    """Leave word for the loop's controller to stop."""
    table.put({"pk": loop_id, "sk": STOP, "at": at})


def propose(table: Table, blobs: Blobs, proposal: Proposal) -> Proposal:
    """Write a proposal, under the next free number; returns it with that number.

    Raises:
        Refused: The loop is over, or on its way out.
        StoreError: Others propose at the same moment, again and again.
    """
    for _ in range(50):
        loop = record_of(Loop, _existing(table, proposal.loop_id), blobs)
        if loop.state in (State.RELEASING, State.CLOSED):
            raise Refused(f"loop {loop.id} is over: it takes no proposal")
        taken = sum(1 for _ in table.query(proposal.loop_id, PROPOSAL))
        numbered = dataclasses.replace(proposal, number=taken + 1)
        pk, sk = key_of(numbered)
        values: dict[str, Value | None] = {**body_of(numbered, blobs)}
        if table.update(Update(pk, sk, values, {"body": None})):
            return numbered
    raise StoreError(f"loop {proposal.loop_id} is proposed to again and again by others", fix="try again")


def _existing(table: Table, loop_id: str) -> Item:
    item = table.get(loop_id, LOOP)
    if item is None or "epoch" not in item:
        raise NotFound(f"no loop {loop_id!r} in {table.name}", fix="wpfsm inspect lists the loops")
    return item


def _token(loop: Loop, at: float) -> str:
    """Names one commit: the same one, sent again, has the same."""
    return hashlib.sha256(f"{loop.id}/{loop.epoch}/{loop.version}/{at}".encode()).hexdigest()[:36]


class SharedStore:
    """Implements :class:`wpfsm.fsm.ports.Store` on a shared table.

    Args:
        table: The table.
        blobs: Where large records go.
        loop_id: The loop.
        epoch: The epoch that :func:`take_over` returned.
    """

    def __init__(self, table: Table, blobs: Blobs, loop_id: str, epoch: int) -> None:
        self._table = table
        self._blobs = blobs
        self.loop_id = loop_id
        self.epoch = epoch
        self._rows: dict[type, dict[str, Any]] | None = None
        self._order: dict[str, int] = {}

    def loop(self) -> Loop:
        """The loop row; raises ``Fenced`` once the epoch has moved on."""
        return record_of(Loop, self._owned(), self._blobs)

    def lanes(self) -> Sequence[Loop]:
        """The loop alone: a shared table has no lanes yet."""
        return [self.loop()]

    def heard_of(self) -> Mapping[int, float]:
        """Of its own controller nobody has to be told."""
        return {}

    def group_jobs(self) -> Sequence[Job]:
        """Its own."""
        return self.jobs()

    def group_obligations(self) -> Sequence[Obligation]:
        """Its own."""
        return self.obligations(owed_only=False)

    def trials(self) -> Sequence[Trial]:
        """Every trial, by number."""
        return sorted(self._of(Trial), key=lambda trial: trial.number)

    def trial(self, number: int) -> Trial:
        """One trial by number; raises ``LookupError`` when there is none."""
        return {trial.number: trial for trial in self._of(Trial)}[number]

    def jobs(self, *, after: int = 0) -> Sequence[Job]:
        """Every job with a number above ``after``, by number."""
        return sorted((job for job in self._of(Job) if job.number > after), key=lambda job: job.number)

    def last_job(self) -> Job | None:
        """The newest job."""
        return max(self._of(Job), key=lambda job: job.number, default=None)

    def job(self, number: int) -> Job | None:
        """One job by number."""
        return next((job for job in self._of(Job) if job.number == number), None)

    def job_named(self, name: str) -> Job | None:
        """One job by name."""
        return next((job for job in self._of(Job) if job.name == name), None)

    def intents(self, *, open_only: bool = True) -> Sequence[Intent]:
        """Intents, oldest first."""
        rows = sorted(self._of(Intent), key=lambda intent: self._order[key_of(intent)[1]])
        return [intent for intent in rows if intent.status == "open" or not open_only]

    def intents_of(self, job_name: str, kind: IntentKind) -> Sequence[Intent]:
        """Every intent of one kind for one job, oldest first."""
        rows = (intent for intent in self._of(Intent) if (intent.job_name, intent.kind) == (job_name, kind))
        return sorted(rows, key=lambda intent: intent.number)

    def obligations(self, *, owed_only: bool = True) -> Sequence[Obligation]:
        """Obligations, oldest first."""
        rows = sorted(self._of(Obligation), key=lambda obligation: obligation.job_name)
        return [row for row in rows if row.status == "owed" or not owed_only]

    def obligation(self, job_name: str) -> Obligation | None:
        """What one job may have left."""
        return next((row for row in self._of(Obligation) if row.job_name == job_name), None)

    def events(self) -> Sequence[Event]:
        """The history."""
        self._owned()
        return [record_of(Event, item, self._blobs) for item in self._table.query(self.loop_id, EVENT)]

    def rendered(self, source_digest: str) -> Request | None:
        """The base request of a source digest."""
        self._owned()
        item = self._table.get(self.loop_id, f"{RENDERED}{source_digest}")
        request: Request | None = json.loads(str(item["body"])) if item else None
        return request

    def save_rendered(self, source_digest: str, request: Request) -> None:
        """Keep a base request."""
        self._owned()
        self._table.put({"pk": self.loop_id, "sk": f"{RENDERED}{source_digest}", "body": json.dumps(request)})

    def remembered(self, fingerprint: str) -> Sequence[PatchAttempt]:
        """Failure memory over every loop of this table, newest first."""
        rows = [
            record_of(PatchAttempt, item, self._blobs) for item in self._table.query(f"MEMORY#{fingerprint}")
        ]
        return sorted(rows, key=lambda row: row.at, reverse=True)[:100]

    def proposals(self, *, open_only: bool = True) -> Sequence[Proposal]:
        """What was proposed from outside, oldest first; read anew, for others write it."""
        rows = [record_of(Proposal, item, self._blobs) for item in self._table.query(self.loop_id, PROPOSAL)]
        self._owned()
        return [row for row in rows if row.status == "open" or not open_only]

    def stop_requested(self) -> bool:
        """Whether ``wpfsm stop`` was asked for and nobody has resumed the loop since."""
        self._owned()
        return self._table.get(self.loop_id, STOP) is not None

    def beat(self, now: float) -> None:
        """Refresh the heartbeat; raises ``Fenced`` when the loop has another owner."""
        self._set({"heartbeat": now})

    def rest(self, look_at: float, now: float) -> None:
        """Note when the next turn is due; raises ``Fenced`` when the loop has another owner."""
        self._set({"heartbeat": now, "look_at": look_at, "due": look_at})

    def commit(self, change: Change, *, state: State | None = None) -> Loop:
        """Write a change in one transaction and return the loop as it now is."""
        item = self._owned()
        before = record_of(Loop, item, self._blobs)
        rows = self._working_set()
        fields: Any = {
            **change.loop,
            "state": state or before.state,
            "version": before.version + 1,
            "updated_at": change.at,
        }
        after = dataclasses.replace(before, **fields)
        records: tuple[codec.Record, ...] = (
            *change.trials,
            *change.jobs,
            *change.intents,
            *change.obligations,
            *change.remembered,
            *change.proposals,
            *change.curves,
        )
        for record in (after, *records):
            _check(record)
        puts = [
            item_of(record, self._blobs, order=after.version * 1000 + n) for n, record in enumerate(records)
        ]
        seq = int(item["seq"]) + (not change.quiet)
        if not change.quiet:
            event = Event(
                self.loop_id,
                seq,
                change.at,
                change.kind,
                str(before.state),
                str(after.state),
                change.why,
                change.data,
            )
            puts.append(item_of(event, self._blobs))
        count = len({*rows[Job], *(key_of(job)[1] for job in change.jobs)})
        token = _token(after, change.at)
        values = {
            "body_at": None,
            **body_of(after, self._blobs),
            **header_of(after, count),
            "seq": seq,
            "committed": token,
        }
        where = {"epoch": self.epoch, "version": before.version}
        if not self._table.transact(Update(self.loop_id, LOOP, values, where), puts, token):
            self._explain(token)
        for put, record in zip(puts, records, strict=False):
            if not isinstance(record, PatchAttempt | Proposal | Curve):
                rows[type(record)][str(put["sk"])] = record
                self._order[str(put["sk"])] = int(put["order"])
        return after

    def _explain(self, token: str) -> None:
        """A condition did not hold: another owner, or this very commit, whose first answer was lost."""
        if self._owned().get("committed") != token:
            raise StoreError(
                f"loop {self.loop_id} was changed in {self._table.name} by somebody who does not own it",
                fix=f"wpfsm inspect {self.loop_id} --events shows what; the same command may be run again",
            )

    def _set(self, values: dict[str, Value | None]) -> None:
        if self._table.update(Update(self.loop_id, LOOP, values, {"epoch": self.epoch})) is None:
            self._owned()

    def _owned(self) -> Item:
        """The loop's item, if the loop is still ours."""
        item = _existing(self._table, self.loop_id)
        if item["epoch"] != self.epoch:
            raise Fenced(
                f"loop {self.loop_id} was taken over by another controller (epoch {item['epoch']}, ours {self.epoch})",
                fix=f"wpfsm inspect {self.loop_id} shows who drives it",
            )
        return item

    def _of(self, record: type[codec.R]) -> list[codec.R]:
        """After the rows: those read under our epoch are our own, whoever takes the loop over from here on."""
        rows = list(self._working_set()[record].values())
        self._owned()
        return rows

    def _working_set(self) -> dict[type, dict[str, Any]]:
        if self._rows is None:
            rows: dict[type, dict[str, Any]] = {kind: {} for kind in _KINDS.values()}
            for item in self._table.query(self.loop_id, ROW):
                sk = str(item["sk"])
                kind = _KINDS[sk.split("#", 2)[1]]
                rows[kind][sk] = record_of(kind, item, self._blobs)
                self._order[sk] = int(item["order"])
            self._rows = rows
        return self._rows


def _check(record: codec.Record) -> None:
    """What the schema of a database checks by itself.

    Raises:
        StoreError: A closed loop without an outcome, or an obligation discharged without evidence.
    """
    match record:
        case Loop(state=State.CLOSED, outcome=None):
            raise StoreError(f"CHECK constraint: loop {record.id} is closed without an outcome")
        case Obligation(status="discharged", evidence=""):
            raise StoreError(f"CHECK constraint: {record.job_name} is discharged without evidence")
