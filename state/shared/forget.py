"""Removes a closed loop from a shared table: its items, and the objects that hold its large ones."""

from __future__ import annotations

from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import Job, Obligation
from wpfsm.state.forget import refuse_to_forget
from wpfsm.state.shared.items import LOOP, ROW, record_of
from wpfsm.state.shared.table import Blobs, Item, Table
from wpfsm.state.shared.working_set import lanes_of


def forget(table: Table, blobs: Blobs, loop_id: str) -> None:
    """Remove a closed loop with all that was written about it; its own row last, so that it can be run again.

    Snapshots of sources stay: they are named by what is in them, and other loops of the team may use the same.

    Raises:
        NotFound: There is no such loop.
        Refused: It is not closed, or owes a release.
    """
    row = table.get(loop_id, LOOP)
    if row is None or "epoch" not in row:
        raise NotFound(f"no loop {loop_id!r} in {table.name}", fix="wpfsm inspect lists the loops")
    obligations = [record_of(Obligation, item, blobs) for item in table.query(loop_id, f"{ROW}OWED#")]
    owed = [obligation.job_name for obligation in obligations if obligation.status == "owed"]
    refuse_to_forget(loop_id, str(row["state"]), owed)
    _forget_lessons(table, blobs, loop_id)
    for lane in lanes_of(table, loop_id):
        if lane["pk"] != loop_id:
            for item in list(table.query(str(lane["pk"]))):
                _remove(table, blobs, item)
    for item in list(table.query(loop_id)):
        if item["sk"] != LOOP:
            _remove(table, blobs, item)
    _remove(table, blobs, row)


def _forget_lessons(table: Table, blobs: Blobs, loop_id: str) -> None:
    """What its failures taught is kept by their fingerprints."""
    jobs = [record_of(Job, item, blobs) for item in table.query(loop_id, f"{ROW}JOB#")]
    for fingerprint in {job.diagnosis.fingerprint for job in jobs if job.diagnosis}:
        for item in list(table.query(f"MEMORY#{fingerprint}", f"{loop_id}#")):
            _remove(table, blobs, item)


def _remove(table: Table, blobs: Blobs, item: Item) -> None:
    if name := item.get("body_at"):
        blobs.delete(str(name))
    table.delete(str(item["pk"]), str(item["sk"]))
