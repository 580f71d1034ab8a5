"""What a change comes to: the items of one transaction, and the conditions under which it may happen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from wpfsm.fsm.errors import Overtaken, StoreError
from wpfsm.fsm.records import Change, Event, Job, Loop, Obligation, State
from wpfsm.state import codec
from wpfsm.state.shared.items import (
    GROUP,
    LOOP,
    body_of,
    commit_token,
    header_of,
    item_of,
    key_of,
    record_of,
)
from wpfsm.state.shared.table import Blobs, Item, Table, Update, Value
from wpfsm.state.shared.working_set import WorkingSet, group_item


@dataclasses.dataclass(frozen=True)
class _Counted:
    """How the counts change with a commit: the history's number, the group's count before, and where they are kept."""

    seq: int
    moved: int | None
    own: Mapping[str, Value | None]
    updates: tuple[Update, ...]


@dataclasses.dataclass(frozen=True)
class Written:
    """A change, ready to be written."""

    after: Loop
    records: tuple[codec.Record, ...]
    updates: Sequence[Update]
    puts: Sequence[Item]
    token: str
    moved: int | None


class Writer:
    """Writes down the changes of a loop's owner.

    Args:
        table: The table.
        blobs: Where large records go.
        working: What the owner works with.
    """

    def __init__(self, table: Table, blobs: Blobs, working: WorkingSet) -> None:
        self._table = table
        self._blobs = blobs
        self._working = working

    def written(self, change: Change, state: State | None, item: Item) -> Written:
        """What a change comes to.

        Args:
            change: The change.
            state: Where the loop goes; None where it stays.
            item: The loop's, as its owner has just read it.

        Raises:
            Overtaken: A sibling has changed what the change depends on since it was read.
            StoreError: A row is not what the schema allows.
        """
        before = record_of(Loop, item, self._blobs)
        fields: Any = {
            **change.loop,
            "state": state or before.state,
            "version": before.version + 1,
            "updated_at": change.at,
        }
        after = dataclasses.replace(before, **fields)
        records: tuple[codec.Record, ...] = (
            *change.trials, *change.jobs, *change.intents, *change.obligations, *change.remembered,
            *change.proposals, *change.curves,
        )  # fmt: skip
        for record in (after, *records):
            _check(record)
        puts = [
            item_of(record, self._blobs, order=after.version * 1000 + n) for n, record in enumerate(records)
        ]
        counted = self._counted(change, item, before)
        if not change.quiet:
            event = Event(
                before.group, counted.seq, change.at, change.kind, str(before.state), str(after.state), change.why,
                change.data, lane=before.lane,
            )  # fmt: skip
            puts.append(item_of(event, self._blobs))
        token = commit_token(after, change.at, counted.moved)
        own: dict[str, Value | None] = {
            "body_at": None,
            **body_of(after, self._blobs),
            **header_of(after),
            "committed": token,
            **counted.own,
        }
        where = {"epoch": item["epoch"], "version": before.version}
        updates = [Update(before.id, LOOP, own, where), *counted.updates]
        return Written(after, records, updates, puts, token, counted.moved)

    def _counted(self, change: Change, item: Item, before: Loop) -> _Counted:
        """The next number of the history, and how the counts change that go with it.

        Raises:
            Overtaken: A sibling has changed what this depends on since it was read.
        """
        jobs = self._jobs_after(change)
        if not before.lane:
            seq = int(item["seq"]) + (not change.quiet)
            return _Counted(seq, None, {"seq": seq, **jobs}, ())
        group = group_item(self._table, before.group)
        if change.expects is not None and group["tally"] != change.expects:
            raise Overtaken(f"a sibling of lane {before.lane} was faster")
        seq, moved = int(group["seq"]) + (not change.quiet), int(group["moved"])
        together = change.expects is not None
        if change.quiet and not together and not _works_with(change):
            return _Counted(seq, None, {}, ())  # no sibling reads it
        counts: dict[str, Value | None] = {
            "seq": seq,
            "tally": int(group["tally"]) + together,
            "moved": moved + 1,
        }
        updates = [Update(before.group, GROUP, counts, {"moved": moved})]
        if jobs and before.lane > 1:
            updates.append(Update(before.group, LOOP, jobs))  # the list shows the group by its first lane
            jobs = {}
        return _Counted(seq, moved, jobs, tuple(updates))

    def _jobs_after(self, change: Change) -> dict[str, Value | None]:
        """How many jobs there are with this change, where it brings one."""
        known = self._working.rows(Job)
        new = [job.number for job in change.jobs if key_of(job)[1] not in known]
        return {"jobs": max(new)} if new else {}


def _works_with(change: Change) -> bool:
    """Whether it writes rows that the siblings read."""
    return bool(change.trials or change.jobs or change.intents or change.obligations)


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
