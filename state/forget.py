"""Removes a closed loop from the database: its rows, and which snapshots of sources nobody else needs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from wpfsm.fsm.errors import NotFound, Refused
from wpfsm.fsm.records import State
from wpfsm.state.store import transaction

_TABLES = (
    "remembered",
    "curves",
    "proposals",
    "rendered",
    "events",
    "obligations",
    "intents",
    "jobs",
    "trials",
    "stop_requests",
    "owners",
)
"""Every table with rows of a loop, those that refer to others first."""
_DIGESTS = (
    "select source_digest from loops where id = ?1 union select source_digest from trials where loop_id = ?1 "
    "union select source_digest from jobs where loop_id = ?1 "
    "union select source_digest from proposals where loop_id = ?1 "
    'union select json_extract(patch, \'$.\' || part.value) from jobs, json_each(\'["base","result","given"]\') part '
    "where loop_id = ?1 and patch is not null"
)
_STILL_NAMED = (
    "select 1 from loops where source_digest = ?1 union all select 1 from trials where source_digest = ?1 "
    "union all select 1 from jobs where source_digest = ?1 or instr(patch, ?1) "
    "union all select 1 from proposals where source_digest = ?1 "
    "union all select 1 from remembered where instr(patch, ?1) limit 1"
)


def refuse_to_forget(loop_id: str, state: str, owed: list[str]) -> None:
    """Say why a loop has to stay, if it has to.

    Raises:
        Refused: It is not closed, or a pool of it may still bill.
    """
    if owed:
        raise Refused(
            f"loop {loop_id} is not forgotten: the release of {', '.join(owed)} is not read back",
            fix=f"wpfsm release {loop_id}",
        )
    if state != State.CLOSED:
        raise Refused(
            f"loop {loop_id} is not forgotten: it is {state}, and only a closed one is history",
            fix=f"wpfsm stop {loop_id} ends it",
        )


def forget(connection: sqlite3.Connection, path: Path, loop_id: str) -> tuple[str, ...]:
    """Remove a closed loop with all that was written about it, in one transaction.

    Returns:
        Digests of the snapshots that only this loop has named.

    Raises:
        NotFound: There is no such loop.
        Refused: It is not closed, or owes a release.
    """
    with transaction(connection, path):
        row = connection.execute("select state from loops where id = ?", (loop_id,)).fetchone()
        if row is None:
            raise NotFound(f"no loop {loop_id!r} in {path}", fix="wpfsm inspect lists the loops")
        owed = connection.execute(
            "select job_name from obligations where loop_id = ? and status = 'owed'", (loop_id,)
        )
        refuse_to_forget(loop_id, row["state"], [each["job_name"] for each in owed])
        named = {str(each[0]) for each in connection.execute(_DIGESTS, (loop_id,)) if each[0]}
        for table in _TABLES:
            connection.execute(f"delete from {table} where loop_id = ?", (loop_id,))  # noqa: S608 - names are ours
        lanes = [
            each["id"] for each in connection.execute("select id from loops where lane_of = ?", (loop_id,))
        ]
        for each in (*lanes, loop_id):
            connection.execute("delete from owners where loop_id = ?", (each,))
            connection.execute("delete from loops where id = ?", (each,))
        return tuple(
            digest for digest in sorted(named) if not connection.execute(_STILL_NAMED, (digest,)).fetchone()
        )
