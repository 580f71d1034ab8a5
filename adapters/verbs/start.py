"""`wpfsm start`: a new loop from a loop file."""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop, detached
from wpfsm.adapters.verbs.drive import drive, report
from wpfsm.adapters.watchers import notify
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile, with_keep_alive
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.records import Loop, State
from wpfsm.state.database import create_or_open, siblings
from wpfsm.state.history import History
from wpfsm.state.store import create_loop


def start(
    given: Options,
    file: Path,
    overrides: Sequence[str],
    backend: str | None,
    *,
    detach: bool,
    follow: bool = False,
) -> int:
    """Create a loop from a file and drive it to its end; returns the exit code.

    Where a team's engine drives it, this ends after Preflight; ``follow`` waits for its end.
    """
    settings = (*overrides, *([f"backend={backend}"] if backend else []))
    loop_file = load(file, settings, with_files=True)
    notify.require(loop_file.notify)
    if given.shared:
        from wpfsm.adapters.verbs import shared

        return shared.start(given, file, new_row(given, file, loop_file, settings), follow=follow)
    loop, connection = new_loop(given, file, loop_file, settings)
    hint(f"loop {loop.id}")
    if detach:
        detach_loop(given, loop)
        report(given, History(connection), loop, None)
        return DETACHED
    return drive(given, connection, loop)


def new_loop(
    given: Options, file: Path, loop_file: LoopFile, overrides: tuple[str, ...]
) -> tuple[Loop, sqlite3.Connection]:
    """Snapshot the source and write the loop's row. Nothing was asked of any service yet."""
    loop = new_row(given, file, loop_file, overrides)
    connection = create_or_open(given.database)
    create_loop(connection, given.database, loop, f"from {file}")
    return loop, connection


def new_row(given: Options, file: Path, loop_file: LoopFile, overrides: tuple[str, ...]) -> Loop:
    """The row of a new loop, with its source kept on this machine."""
    now = WallClock().now()
    sources = LocalSources(siblings(given.database, "sources"), file.resolve().parent)
    digest = sources.snapshot(loop_file.job.source) if loop_file.job.source else ""
    seconds = default_keep_alive("person" if sys.stdin.isatty() and not detached() else "program")
    return Loop(
        id=f"{loop_file.name}-{secrets.token_hex(3)}",
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
