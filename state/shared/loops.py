"""What others than a loop's owner write of it: that it is there, who owns it, that it is to stop, what to try next."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from wpfsm.fsm.errors import NotFound, Refused, StoreError
from wpfsm.fsm.records import Event, Loop, Owner, Proposal, State, Trial
from wpfsm.state.shared.items import (
    GROUP,
    LOOP,
    PROPOSAL,
    STOP,
    body_of,
    commit_token,
    header_of,
    item_of,
    key_of,
    record_of,
)
from wpfsm.state.shared.table import Blobs, Item, Table, Update, Value
from wpfsm.state.shared.working_set import lanes_of
from wpfsm.state.store import UNATTENDED_SECONDS

TURN_SECONDS = 900.0
"""The longest that a function may run: a turn that has begun is over by then."""


def create_loop(
    table: Table,
    blobs: Blobs,
    loop: Loop,
    why: str,
    trials: Sequence[Trial] = (),
    siblings: Sequence[Loop] = (),
) -> None:
    """Insert a new loop with its first event; a group with every lane of it, or not at all.

    Args:
        table: The table.
        blobs: Where large records go.
        loop: Its row; of a group its first lane.
        why: In words.
        trials: What it knows from an earlier loop. They are written first: without its row there is no loop.
        siblings: The other lanes of its group.

    Raises:
        StoreError: There is a loop of this id already.
    """
    if trials and table.get(loop.id, LOOP) is not None:
        raise _taken(table, loop)
    for order, trial in enumerate(trials):
        table.put(item_of(trial, blobs, order=order))
    lanes = (loop, *siblings)
    events = [
        Event(loop.id, seq, loop.created_at, "created", "", str(each.state), why, lane=each.lane)
        for seq, each in enumerate(lanes, start=1)
    ]
    updates = [Update(each.id, LOOP, _new(each, blobs), {"epoch": None}) for each in lanes]
    if loop.lane:
        ids = " ".join(each.id for each in lanes)
        counts: dict[str, Value | None] = {"lanes": ids, "seq": len(lanes), "tally": 0, "moved": 0}
        updates.append(Update(loop.id, GROUP, counts, {"lanes": None}))
    made = table.transact(
        updates, [item_of(event, blobs) for event in events], commit_token(loop, loop.created_at)
    )
    if not made:
        raise _taken(table, loop)


def _new(loop: Loop, blobs: Blobs) -> dict[str, Value | None]:
    return {
        **body_of(loop, blobs),
        **header_of(loop),
        "jobs": 0,
        "epoch": loop.epoch,
        "seq": 1,
        "generation": loop.generation,
        "due": loop.created_at + TURN_SECONDS,
    }


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
        item = existing(table, loop_id)
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
        if owner.heartbeat - attended(item) > UNATTENDED_SECONDS:
            loop = record_of(Loop, item, blobs)
            values |= {"body_at": None, **body_of(dataclasses.replace(loop, waits={}), blobs)}
        where = {"epoch": item["epoch"], "version": item["version"]}
        if table.update(Update(loop_id, LOOP, values, where)):
            if forget_stop:
                table.delete(record_of(Loop, item, blobs).group, STOP)
            return epoch
    raise StoreError(f"loop {loop_id} is taken over again and again by others", fix="try again in a minute")


def attended(item: Item) -> float:
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
        lanes = lanes_of(table, proposal.loop_id) or [existing(table, proposal.loop_id)]
        if all(lane["state"] in (State.RELEASING, State.CLOSED) for lane in lanes):
            raise Refused(f"loop {proposal.loop_id} is over: it takes no proposal")
        taken = sum(1 for _ in table.query(proposal.loop_id, PROPOSAL))
        numbered = dataclasses.replace(proposal, number=taken + 1)
        pk, sk = key_of(numbered)
        values: dict[str, Value | None] = {**body_of(numbered, blobs)}
        if table.update(Update(pk, sk, values, {"body": None})):
            return numbered
    raise StoreError(f"loop {proposal.loop_id} is proposed to again and again by others", fix="try again")


def existing(table: Table, loop_id: str) -> Item:
    """The item of a loop; raises ``NotFound`` when there is none."""
    item = table.get(loop_id, LOOP)
    if item is None or "epoch" not in item:
        raise NotFound(f"no loop {loop_id!r} in {table.name}", fix="wpfsm inspect lists the loops")
    return item
