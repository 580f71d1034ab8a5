"""`wpfsm start`: a new loop from a loop file."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wpfsm.adapters.bootstrap import own_loop
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.output import Options, hint, listed
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop, detached
from wpfsm.adapters.verbs.drive import drive, report
from wpfsm.adapters.watchers import notify
from wpfsm.fsm.errors import Held, Refused
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile, with_keep_alive
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.records import Loop, State
from wpfsm.state.connection import PatientConnection
from wpfsm.state.database import create_or_open, siblings
from wpfsm.state.leases import Lease
from wpfsm.state.store import IdTaken, create_loop


def start(
    given: Options,
    file: Path,
    overrides: Sequence[str],
    backend: str | None,
    *,
    detach: bool,
    strict: bool = False,
) -> int:
    """Create a loop from a file and drive it to its end; returns the exit code."""
    outlive_output()  # before there is a loop: whatever becomes of the streams, nobody drives it otherwise
    settings = (
        *overrides,
        *([f"backend={backend}"] if backend else []),
        *(["checks.strict=true"] if strict else []),
    )
    loop_file = load(file, settings, with_files=True)
    notify.require(loop_file.notify)
    _say_what_is_left_out(file, loop_file)
    loop, connection, lease = new_loop(given, file, loop_file, settings)
    hint(f"loop {loop.id}")
    if detach:
        detach_loop(given, loop, lease)
        report(given, connection, loop, None)
        return DETACHED
    return drive(given, connection, loop, lease=lease)


def _say_what_is_left_out(file: Path, loop_file: LoopFile) -> None:
    """Members of the user's own request that only a description has. What is wrong with it, Preflight says."""
    if loop_file.job.request:
        from wpfsm.adapters.aws.own_request import own_request

        with contextlib.suppress(Refused):
            _, left_out = own_request(file.parent / loop_file.job.request)
            if left_out:
                hint(f"job.request: left out what only the service reports: {', '.join(left_out)}")


def new_loop(
    given: Options, file: Path, loop_file: LoopFile, overrides: tuple[str, ...]
) -> tuple[Loop, PatientConnection, Lease]:
    """Snapshot the source, take the loop's lock, and write its row. Nothing was asked of any service yet.

    The lock comes before the row, so that whoever sees the row sees that somebody drives it.
    """
    now = WallClock().now()
    sources = LocalSources(siblings(given.database, "sources"), file.resolve().parent)
    digest = sources.snapshot(loop_file.job.source) if loop_file.job.source else ""
    if loop_file.job.source and (left_out := sources.look_through(loop_file.job.source).left_out):
        hint(f"left out of {loop_file.job.source}: " + listed(left_out))
    seconds = default_keep_alive("person" if sys.stdin.isatty() and not detached() else "program")
    drawn = Loop(
        id="",
        name=loop_file.name,
        state=State.PREFLIGHT,
        backend=loop_file.backend,
        region=loop_file.region,
        created_at=now,
        updated_at=now,
        loop_file=with_keep_alive(loop_file, seconds).dump(),
        loop_path=str(file.resolve()),
        overrides=overrides,
        endpoint_url=given.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", ""),
        source_digest=digest,
    )
    connection = create_or_open(given.database)
    while True:
        loop = replace(drawn, id=draw_id(loop_file.name))
        try:
            lease = own_loop(given.database, loop.id)
        except Held:
            continue
        try:
            create_loop(connection, given.database, loop, f"from {file}")
        except IdTaken:
            lease.release()
        except BaseException:
            lease.release()
            raise
        else:
            return loop, connection, lease


def draw_id(name: str) -> str:
    """A new loop id: as much of the name as fits, and 40 random bits."""
    return f"{name[: MOST_ID - 2 * _RANDOM_BYTES - 1].rstrip('-')}-{secrets.token_hex(_RANDOM_BYTES)}"


MOST_ID = 40
"""Characters of a loop id, of which the names of its jobs are made (63 at most, with number)."""
_RANDOM_BYTES = 5
