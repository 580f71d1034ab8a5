"""`wpfsm start`: a new loop from a loop file."""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop, detached
from wpfsm.adapters.verbs.drive import drive, report
from wpfsm.adapters.watchers import notify
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile, with_keep_alive
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.records import Loop, State, Trial
from wpfsm.state.database import create_or_open, open_existing, siblings
from wpfsm.state.history import History
from wpfsm.state.store import create_loop


def start(
    given: Options,
    file: Path,
    overrides: Sequence[str],
    backend: str | None,
    *,
    detach: bool,
    strict: bool = False,
    continued: str | None = None,
    queue: bool = False,
) -> int:
    """Create a loop from a file and drive it to its end; returns the exit code.

    Args:
        given: The options of every verb.
        file: The loop file.
        overrides: ``--set`` settings.
        backend: In the place of the file's.
        detach: Drive it in the background.
        strict: Refuse where a check of the source would warn.
        continued: A closed loop whose trials the new one knows, and of which it repeats none.
        queue: Wait for a pool that another loop holds.
    """
    settings = (
        *overrides,
        *([f"backend={backend}"] if backend else []),
        *(["checks.strict=true"] if strict else []),
    )
    loop_file = load(file, settings, with_files=True)
    notify.require(loop_file.notify)
    known, digest = known_trials(given, continued, file, loop_file) if continued else ((), "")
    loop, connection = new_loop(given, file, loop_file, settings, known, digest)
    hint(f"loop {loop.id}")
    if detach:
        detach_loop(given, loop, queue=queue)
        report(given, connection, loop, None)
        return DETACHED
    return drive(given, connection, loop, queue=queue)


def known_trials(
    given: Options, which: str, file: Path, loop_file: LoopFile
) -> tuple[tuple[Trial, ...], str]:
    """The completed trials of a closed loop, as the new loop holds them, and the source that they ended with.

    They are known with the values and the source that they ran. Where the user's source is another one by now, they
    are no points of a new sweep any more: then only an open loop, which chooses by itself, knows them.

    Raises:
        Refused: The loop is not closed: it takes proposals itself.
    """
    history = History(open_existing(given.database, write=True))
    before = history.find(which)
    if before.state is not State.CLOSED:
        raise Refused(
            f"loop {before.id} is not closed, so it can go on itself",
            fix=f"wpfsm inspect {before.id} says how",
        )
    ran = {job.trial: job for job in history.jobs(before.id)}
    jobs = history.jobs(before.id)
    sources = LocalSources(siblings(given.database, "sources"), file.resolve().parent)
    now = sources.snapshot(loop_file.job.source) if loop_file.job.source else ""
    same = not jobs or now in {"", jobs[0].source_digest, jobs[-1].source_digest}
    if not same and loop_file.asks is None:
        hint(f"the source is not what {before.id} ran: every point is run again")
        return (), ""
    done = [t for t in history.trials(before.id) if t.state == "completed" and not t.smoke]
    known = tuple(
        replace(
            trial,
            number=number,
            params=dict(ran[trial.number].params) if trial.number in ran else trial.params,
            phase=min(trial.phase, len(loop_file.phases)),
            base=None,
            proposal=None,
            repeat_of=None,
            taken_loop=trial.taken_loop or before.id,
            taken_from=trial.taken_from if trial.taken_loop else trial.number,
        )
        for number, trial in enumerate(done, start=1)
    )
    return known, jobs[-1].source_digest if jobs and same else ""


def new_loop(
    given: Options,
    file: Path,
    loop_file: LoopFile,
    overrides: tuple[str, ...],
    known: tuple[Trial, ...] = (),
    source_digest: str = "",
) -> tuple[Loop, sqlite3.Connection]:
    """Snapshot the source and write the loop's row. Nothing was asked of any service yet."""
    now = WallClock().now()
    sources = LocalSources(siblings(given.database, "sources"), file.resolve().parent)
    digest = sources.snapshot(loop_file.job.source) if loop_file.job.source else ""
    seconds = default_keep_alive("person" if sys.stdin.isatty() and not detached() else "program")
    loop = Loop(
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
        source_digest=source_digest or digest,
    )
    connection = create_or_open(given.database)
    why = f"from {file}" + (f", with {len(known)} trial(s) of {known[0].taken_loop}" if known else "")
    create_loop(connection, given.database, loop, why, [replace(trial, loop_id=loop.id) for trial in known])
    return loop, connection
