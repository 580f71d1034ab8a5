"""The rows that a loop's owner works with, read once; in a group again whenever a sibling has written.

Only the owner of a loop writes its rows. The lanes of a group keep theirs in one partition, beside an item that
counts every commit of any of them: while the count stands still, what was read stands too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wpfsm.fsm.errors import StoreError
from wpfsm.fsm.records import Curve, Intent, Job, Loop, Obligation, PatchAttempt, Proposal, Trial
from wpfsm.state import codec
from wpfsm.state.shared.items import GROUP, LOOP, ROW, record_of
from wpfsm.state.shared.table import Blobs, Item, Table

_KINDS: Mapping[str, type[Any]] = {"TRIAL": Trial, "JOB": Job, "INTENT": Intent, "OWED": Obligation}
NOT_WORKED_WITH = (Loop, PatchAttempt, Proposal, Curve)
"""Records that are read anew each time, or that nobody reads before the loop is looked at."""
_TRIES = 20


def group_item(table: Table, group: str) -> Item:
    """What the lanes of a group count together.

    Raises:
        StoreError: It is gone, and the lanes with it.
    """
    item = table.get(group, GROUP)
    if item is None:
        raise StoreError(
            f"the lanes of {group} are gone from {table.name}", fix="wpfsm inspect lists the loops"
        )
    return item


def lanes_of(table: Table, group: str) -> list[Item]:
    """The loop items of a group's lanes, by number; none of a loop without lanes."""
    counted = table.get(group, GROUP)
    ids = str(counted["lanes"]).split() if counted else []
    items = [table.get(each, LOOP) for each in ids]
    return [item for item in items if item is not None]


class WorkingSet:
    """Trials, jobs, intents and obligations of a loop, or of every lane of its group.

    Args:
        table: The table.
        blobs: Where large records are.
        pk: The partition: the loop's, which is its group's.
        grouped: Whether siblings write there too.
    """

    def __init__(self, table: Table, blobs: Blobs, pk: str, *, grouped: bool) -> None:
        self._table = table
        self._blobs = blobs
        self._pk = pk
        self._grouped = grouped
        self._rows: dict[type, dict[str, Any]] | None = None
        self._order: dict[str, int] = {}
        self._moved = 0

    def rows(self, kind: type[codec.R], *, of_siblings: bool = False) -> Mapping[str, codec.R]:
        """The rows of a kind by their key; with ``of_siblings`` as they are now, not as they were last read."""
        stale = of_siblings and self._grouped and self._rows is not None and self._count() != self._moved
        if self._rows is None or stale:
            self._read()
        assert self._rows is not None, "it was read"
        return self._rows[kind]

    def order(self, sk: str) -> int:
        """When a row was written, in relation to the others of its lane."""
        return self._order[sk]

    def keep(self, puts: Sequence[Item], records: Sequence[codec.Record], before: int | None) -> None:
        """Take over what was committed.

        Args:
            puts: The items.
            records: What is in them, in the same order.
            before: Of a group: the count before this commit, which has raised it by one; None where it has not.
        """
        rows = self._rows
        if rows is None:
            return
        for put, record in zip(puts, records, strict=False):
            if not isinstance(record, NOT_WORKED_WITH):
                rows[type(record)][str(put["sk"])] = record
                self._order[str(put["sk"])] = int(put["order"])
        if before is not None and self._moved == before:
            self._moved = before + 1

    def _read(self) -> None:
        """All rows at one moment. A query of several pages is no snapshot: while siblings commit it is made again."""
        for _ in range(_TRIES):
            moved = self._count() if self._grouped else 0
            rows: dict[type, dict[str, Any]] = {kind: {} for kind in _KINDS.values()}
            order: dict[str, int] = {}
            for item in self._table.query(self._pk, ROW):
                sk = str(item["sk"])
                kind = _KINDS[sk.split("#", 2)[1]]
                rows[kind][sk] = record_of(kind, item, self._blobs)
                order[sk] = int(item["order"])
            self._rows, self._order, self._moved = rows, order, moved
            if not self._grouped or self._count() == moved:
                return
        raise StoreError(
            f"the lanes of {self._pk} write faster than they can be read",
            fix="the same command may be run again",
        )

    def _count(self) -> int:
        return int(group_item(self._table, self._pk)["moved"])
