"""The rows of one loop for its one owner, in a table that every machine of a team sees.

A commit is one transaction, conditional on the loop's epoch and version. Only the owner writes, so its rows
are read once and then served from memory; before each of them, as before each call to the service, the loop
is read again, so that an owner that was replaced learns it and does nothing more.

The lanes of a group are loops with an item and an epoch each. Their other rows are in the partition of the group,
which is that of the first lane, beside one item that all of them count on: the number of the last event, the tally
of what depends on siblings, and every commit that siblings may read.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from wpfsm.fsm.errors import Fenced, StoreError
from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import (
    Change,
    Event,
    Intent,
    IntentKind,
    Job,
    Loop,
    Obligation,
    PatchAttempt,
    Proposal,
    State,
    Trial,
)
from wpfsm.state import codec
from wpfsm.state.shared.commits import Writer
from wpfsm.state.shared.items import (
    EVENT,
    LOOP,
    PROPOSAL,
    RENDERED,
    STOP,
    key_of,
    record_of,
)
from wpfsm.state.shared.loops import attended, existing
from wpfsm.state.shared.table import Blobs, Item, Table, Update, Value
from wpfsm.state.shared.working_set import WorkingSet, group_item, lanes_of

_TRIES = 50
"""How often a lane writes a commit anew because siblings were faster; each time one of them has got on."""


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
        item = table.get(loop_id, LOOP)
        row = record_of(Loop, item, blobs) if item and "epoch" in item else None
        self.group = row.group if row else loop_id
        self.lane = row.lane if row else 0
        self._working = WorkingSet(table, blobs, self.group, grouped=bool(self.lane))
        self._writer = Writer(table, blobs, self._working)

    def loop(self) -> Loop:
        """The loop row; raises ``Fenced`` once the epoch has moved on."""
        return record_of(Loop, self._owned(), self._blobs)

    def lanes(self) -> Sequence[Loop]:
        """Every lane of the group, by number; the loop alone where it has no lanes."""
        if not self.lane:
            return [self.loop()]
        # The count before the rows: whatever is decided on rows that moved after it, is asked again.
        tally = int(group_item(self._table, self.group)["tally"])
        first, *others = [record_of(Loop, item, self._blobs) for item in lanes_of(self._table, self.group)]
        self._owned()
        return [dataclasses.replace(first, tally=tally), *others]

    def heard_of(self) -> Mapping[int, float]:
        """Until when each lane was driven, or is not late yet: its engine sleeps until it is due."""
        if not self.lane:
            return {}
        items = lanes_of(self._table, self.group)
        return {record_of(Loop, item, self._blobs).lane: attended(item) for item in items}

    def group_jobs(self) -> Sequence[Job]:
        """Every job of every lane, by number."""
        return sorted(self._of(Job, every_lane=True), key=lambda job: job.number)

    def group_obligations(self) -> Sequence[Obligation]:
        """Every obligation of every lane, by the job's name."""
        return sorted(self._of(Obligation, every_lane=True), key=lambda row: row.job_name)

    def trials(self) -> Sequence[Trial]:
        """Every trial, by number: of all lanes."""
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
        rows = sorted(self._of(Intent), key=lambda intent: self._working.order(key_of(intent)[1]))
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
        """The history: what happened to this lane."""
        self._owned()
        events = [record_of(Event, item, self._blobs) for item in self._table.query(self.group, EVENT)]
        return [event for event in events if event.lane == self.lane]

    def rendered(self, source_digest: str) -> Request | None:
        """The base request of a source digest."""
        self._owned()
        item = self._table.get(self.group, f"{RENDERED}{source_digest}")
        request: Request | None = json.loads(str(item["body"])) if item else None
        return request

    def save_rendered(self, source_digest: str, request: Request) -> None:
        """Keep a base request."""
        self._owned()
        self._table.put({"pk": self.group, "sk": f"{RENDERED}{source_digest}", "body": json.dumps(request)})

    def remembered(self, fingerprint: str) -> Sequence[PatchAttempt]:
        """Failure memory over every loop of this table, newest first."""
        rows = [
            record_of(PatchAttempt, item, self._blobs) for item in self._table.query(f"MEMORY#{fingerprint}")
        ]
        return sorted(rows, key=lambda row: row.at, reverse=True)[:100]

    def proposals(self, *, open_only: bool = True) -> Sequence[Proposal]:
        """What was proposed from outside, oldest first; read anew, for others write it."""
        rows = [record_of(Proposal, item, self._blobs) for item in self._table.query(self.group, PROPOSAL)]
        self._owned()
        return [row for row in rows if row.status == "open" or not open_only]

    def stop_requested(self) -> bool:
        """Whether ``wpfsm stop`` was asked for and nobody has resumed the loop since."""
        self._owned()
        return self._table.get(self.group, STOP) is not None

    def beat(self, now: float) -> None:
        """Refresh the heartbeat; raises ``Fenced`` when the loop has another owner."""
        self._set({"heartbeat": now})

    def rest(self, look_at: float, now: float) -> None:
        """Note when the next turn is due; raises ``Fenced`` when the loop has another owner."""
        self._set({"heartbeat": now, "look_at": look_at, "due": look_at})

    def commit(self, change: Change, *, state: State | None = None) -> Loop:
        """Write a change in one transaction and return the loop as it now is.

        Of a group, what the lanes count together is changed in the same transaction, on condition that it still is
        what was read: so their history has no gap, and of two that decide on the same rows the second asks again.
        """
        tried: list[str] = []
        for _ in range(_TRIES):
            item = self._owned()
            if tried and item.get("committed") in tried:
                break  # this very commit, whose first answer was lost
            written = self._writer.written(change, state, item)
            tried.append(written.token)
            if self._table.transact(written.updates, written.puts, written.token):
                break
            if not self._has_only_moved(item, tried):
                self._explain()
        else:
            raise StoreError(
                f"the lanes of {self.group} hinder one another", fix="the same command may be run again"
            )
        self._working.keep(written.puts, written.records, written.moved)
        return written.after

    def _has_only_moved(self, item: Item, tried: Sequence[str]) -> bool:
        """Whether a condition failed for a sibling's sake, or for this commit's own: then it is looked at again."""
        now = self._owned()
        same = now["version"] == item["version"]
        return now.get("committed") in tried or (bool(self.lane) and same)

    def _explain(self) -> None:
        """A condition did not hold, and nobody else owns the loop."""
        raise StoreError(
            f"loop {self.loop_id} was changed in {self._table.name} by somebody who does not own it",
            fix=f"wpfsm inspect {self.loop_id} --events shows what; the same command may be run again",
        )

    def _set(self, values: dict[str, Value | None]) -> None:
        if self._table.update(Update(self.loop_id, LOOP, values, {"epoch": self.epoch})) is None:
            self._owned()

    def _owned(self) -> Item:
        """The loop's item, if the loop is still ours."""
        item = existing(self._table, self.loop_id)
        if item["epoch"] != self.epoch:
            raise Fenced(
                f"loop {self.loop_id} was taken over by another controller (epoch {item['epoch']}, ours {self.epoch})",
                fix=f"wpfsm inspect {self.loop_id} shows who drives it",
            )
        return item

    def _of(self, record: type[codec.R], *, every_lane: bool = False) -> list[codec.R]:
        """After the rows: those read under our epoch are our own, whoever takes the loop over from here on."""
        rows = list(self._working.rows(record, of_siblings=every_lane or record is Trial).values())
        self._owned()
        if not self.lane or every_lane or record is Trial:
            return rows
        return [row for row in rows if getattr(row, "lane", 0) == self.lane]
