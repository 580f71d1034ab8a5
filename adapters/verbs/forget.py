"""`wpfsm forget`: removes a closed loop from the history, with its logs and the copies of its source."""

from __future__ import annotations

import time
from pathlib import Path

from wpfsm.adapters.aws.targets import archive_of, history_of, place_of, sources_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import JSON, Loop
from wpfsm.state.database import explained
from wpfsm.state.paths import siblings


def forget(given: Options, which: str) -> int:
    """Remove a closed loop and all that was kept of it. What the service and S3 have stays there.

    Raises:
        NotFound: There is no such loop.
        Refused: It is not closed, or owes a release.
        UsageError: The name stands for several loops.
    """
    with explained(given.database):
        history = history_of(given)
        loop = _meant(history, which)
        jobs = [job.name for job in history.jobs(loop.id)]
        lanes = [lane.id for lane in history.lanes(loop.id)]
        unused = _remove_rows(given, loop)
    archive = archive_of(given)
    for job in jobs:
        archive.remove(job)
    logs = siblings(given.database, "logs")
    for each in {loop.id, *lanes}:
        for file in (f"{each}.jsonl", f"{each}.controller.log"):
            Path(logs, file).unlink(missing_ok=True)
    sources_of(given, loop).remove(unused, time.time())
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "forgotten": {"id": loop.id, "name": loop.name, "jobs": len(jobs)},
    }
    emit(given, document, f"forgot {loop.id}: {len(jobs)} jobs, their logs and sources here")
    return 0


def _meant(history: History, which: str) -> Loop:
    """The loop by its id, or by a name or a beginning that stands for no other: nothing brings it back."""
    loop = history.find(which)
    if loop.id != which and loop.name == which and (count := history.count_named(which)) > 1:
        raise UsageError(
            f"{which}: {count} loops have this name, and what is forgotten does not come back",
            fix=f"give the id: wpfsm inspect --name {which} lists them",
        )
    return loop


def _remove_rows(given: Options, loop: Loop) -> tuple[str, ...]:
    """Remove the rows; returns the digests of the snapshots that no loop needs any more."""
    if given.shared:
        from wpfsm.state.shared.forget import forget as forget_shared

        place = place_of(given)
        forget_shared(place.table, place.blobs, loop.id)
        return ()
    from wpfsm.state.database import open_existing
    from wpfsm.state.forget import forget as forget_rows

    return forget_rows(open_existing(given.database, write=True), given.database, loop.id)
