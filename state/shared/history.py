"""Reads for people and programs of a shared table: any loop, by anyone, without owning it."""

from __future__ import annotations

import json
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
from wpfsm.state.derived_reads import DerivedReads
from wpfsm.state.shared.items import CURVE, EVENT, LOOP, PROPOSAL, RENDERED, ROW, STOP, record_of
from wpfsm.state.shared.table import Blobs, Item, Table
from wpfsm.state.shared.working_set import lanes_of

_MOST = 10_000
"""Loops that are looked through for a name."""


class SharedHistory(DerivedReads):
    """Implements :class:`wpfsm.fsm.ports.History`.

    A loop that is named by its id is read as it now is; lists come from an index, which may lag behind a moment.

    Args:
        table: The table.
        blobs: Where large records are.
    """

    def __init__(self, table: Table, blobs: Blobs) -> None:
        self._table = table
        self._blobs = blobs

    def loops(self, limit: int = 1000, *, unfinished: bool = False) -> Sequence[LoopHeader]:
        """Loops, newest first."""
        found = []
        for item in self._table.indexed("listed", "yes", newest_first=True):
            if not unfinished or item.get("unfinished"):
                found.append(_header(item))
            if len(found) == limit:
                break
        return found

    def find(self, which: str, *, acting: bool = False) -> Loop:
        """A loop by its id; else by its name, which means the newest one; else by a prefix of exactly one id.

        Args:
            which: An id, a name or the beginning of an id; nothing in it is a wildcard.
            acting: A name means the one loop of it that is not closed, if there is one.

        Raises:
            NotFound: None matches, or several could be meant.
        """
        if which and (loop := self._loop(which)):
            return loop
        every = self.loops(_MOST)
        named = [header for header in every if header.name == which]
        still_open = [header for header in named if header.state != State.CLOSED] if acting else []
        found = still_open or named[:1] or [h for h in every if which and h.id.startswith(which)]
        if len(found) > 1:
            ids = ", ".join(header.id for header in found[:3])
            raise NotFound(
                f"{which!r} could be any of {ids}", fix="give the whole id; wpfsm inspect lists the loops"
            )
        if not found or (loop := self._loop(found[0].id)) is None:
            raise NotFound(f"no loop {which!r} in {self._table.name}", fix="wpfsm inspect lists the loops")
        return loop

    def count_named(self, name: str) -> int:
        """How many loops have this name."""
        return sum(header.name == name for header in self.loops(_MOST))

    def lanes(self, loop_id: str) -> Sequence[Loop]:
        """The lanes of a group by number; none of a loop without lanes."""
        return [record_of(Loop, item, self._blobs) for item in lanes_of(self._table, loop_id)]

    def waiting_on(self, pool_key: str, besides: str, now: float) -> Loop | None:
        """Another loop whose hand-off holds a pool of this key at this moment."""
        for loop in self._unfinished():
            held = loop.handoff is not None and (loop.hold_until or 0) > now
            if held and loop.pool_key == pool_key and loop.group != besides:
                return loop
        return None

    def newest(self) -> Loop | None:
        """The newest loop."""
        headers = self.loops(1)
        return self._loop(headers[0].id) if headers else None

    def jobs(self, loop_id: str) -> Sequence[Job]:
        """Jobs of a loop, by number."""
        return self._of(Job, loop_id, "JOB#")

    def job_named(self, name: str) -> Job | None:
        """A job by its name, of any loop: the name begins with the loop's id."""
        loop_id = name.rpartition("-")[0]
        return next((job for job in self.jobs(loop_id) if job.name == name), None) if loop_id else None

    def rendered(self, loop_id: str, key: str) -> dict[str, JSON]:
        """A base request of a source digest and entry (``digest:entry``); empty when none was rendered."""
        item = next(self._table.query(loop_id, f"{RENDERED}{key}:"), None)
        request: dict[str, JSON] = json.loads(str(item["body"])) if item else {}
        return request

    def proposals(self, loop_id: str) -> Sequence[Proposal]:
        """What was proposed to a loop from outside, by number."""
        return [record_of(Proposal, item, self._blobs) for item in self._table.query(loop_id, PROPOSAL)]

    def curves(self, loop_id: str) -> Sequence[Curve]:
        """What the jobs of a loop reported, by job and metric."""
        return [record_of(Curve, item, self._blobs) for item in self._table.query(loop_id, CURVE)]

    def trials(self, loop_id: str) -> Sequence[Trial]:
        """Trials of a loop, by number."""
        return self._of(Trial, loop_id, "TRIAL#")

    def intents(self, loop_id: str) -> Sequence[Intent]:
        """Intents of a loop."""
        items = sorted(self._table.query(loop_id, f"{ROW}INTENT#"), key=lambda item: int(item["order"]))
        return [record_of(Intent, item, self._blobs) for item in items]

    def obligations(self, loop_id: str) -> Sequence[Obligation]:
        """Obligations of a loop."""
        return self._of(Obligation, loop_id, "OWED#")

    def owed(self) -> Sequence[Obligation]:
        """Open obligations of every loop."""
        items = sorted(
            self._table.indexed("owed", "yes"), key=lambda item: (str(item["pk"]), str(item["sk"]))
        )
        rows = [self._table.get(str(item["pk"]), str(item["sk"])) for item in items]
        found = [record_of(Obligation, row, self._blobs) for row in rows if row]
        return [obligation for obligation in found if obligation.status == "owed"]

    def events(self, loop_id: str, since: int = 0) -> Iterator[Event]:
        """Events of a loop after ``since``, in order."""
        after = f"{EVENT}{since:09}" if since else ""
        for item in self._table.query(loop_id, EVENT, after=after):
            yield record_of(Event, item, self._blobs)

    def last_event(self, loop_id: str) -> Event | None:
        """The newest event of a loop."""
        item = self._table.last(loop_id, EVENT)
        return record_of(Event, item, self._blobs) if item else None

    def owner(self, loop_id: str) -> Owner | None:
        """Who drives the loop, or drove it last."""
        item = self._table.get(loop_id, LOOP)
        if item is None or "host" not in item:
            return None
        return Owner(str(item["host"]), int(item["pid"]), float(item["since"]), float(item["heartbeat"]))

    def stop_requested(self, loop_id: str) -> bool:
        """Whether word was left for the loop's controller to stop, and nobody has resumed the loop since."""
        return self._table.get(loop_id, STOP) is not None

    def unfinished(self) -> Sequence[Loop]:
        """Loops that are not Closed, newest first."""
        return [loop for loop in self._unfinished() if not loop.lane_of]

    def _unfinished(self) -> Sequence[Loop]:
        """The same, and every lane of a group by itself."""
        ids = [str(item["pk"]) for item in self._table.indexed("unfinished", "yes")]
        loops = [loop for each in ids if (loop := self._loop(each)) and loop.state is not State.CLOSED]
        return sorted(loops, key=lambda loop: loop.updated_at, reverse=True)

    def _loop(self, loop_id: str) -> Loop | None:
        item = self._table.get(loop_id, LOOP)
        return record_of(Loop, item, self._blobs) if item and "epoch" in item else None

    def _of(self, record: type[codec.R], loop_id: str, kind: str) -> list[codec.R]:
        return [record_of(record, item, self._blobs) for item in self._table.query(loop_id, f"{ROW}{kind}")]


def _header(item: Item) -> LoopHeader:
    return LoopHeader(
        id=str(item["pk"]),
        name=str(item["name"]),
        state=str(item["state"]),
        outcome=str(item["outcome"]) if "outcome" in item else None,
        why=str(item["why"]),
        backend=str(item["backend"]),
        created_at=float(item["created_at"]),
        updated_at=float(item["updated_at"]),
        jobs=int(item["jobs"]),
        handoff=bool(item["handoff"]),
    )
