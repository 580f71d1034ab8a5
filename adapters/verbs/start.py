"""`wpfsm start`: a new loop from a loop file."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.engine.bootstrap import own_loop
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.output import Options, hint, listed
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop, detached
from wpfsm.adapters.verbs.drive import drive, report
from wpfsm.adapters.verbs.lanes import drive_lanes, own_group
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.adapters.watchers import mlflow, notify
from wpfsm.fsm.errors import Held, Refused
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile, with_keep_alive
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.records import Loop, State, Trial
from wpfsm.state.connection import PatientConnection
from wpfsm.state.database import create_or_open, open_existing
from wpfsm.state.history import History
from wpfsm.state.leases import Lease
from wpfsm.state.paths import siblings
from wpfsm.state.store import IdTaken, create_loop


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
    follow: bool = False,
    lanes: int | None = None,
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
        lanes: In the place of the file's.
        follow: Where a team's engine drives the loop, which goes on behind Preflight: wait for its end.
    """
    outlive_output()  # before there is a loop: whatever becomes of the streams, nobody drives it otherwise
    settings = (
        *overrides,
        *([f"backend={backend}"] if backend else []),
        *(["checks.strict=true"] if strict else []),
        *([f"lanes={lanes}"] if lanes else []),
    )
    loop_file = load(file, settings, with_files=True)
    notify.require(loop_file.notify)
    mlflow.require(loop_file)
    _say_what_is_left_out(file, loop_file)
    if given.shared:
        from wpfsm.adapters.verbs import shared

        trials, source = known_trials(given, continued, file, loop_file) if continued else ((), "")
        drawn = new_row(given, file, loop_file, settings, source)
        rows = lanes_of(replace(drawn, id=draw_id(loop_file.name)), loop_file.lanes)
        return shared.start(given, rows, created_from(file, trials), trials, follow=follow, queue=queue)
    known, digest = known_trials(given, continued, file, loop_file) if continued else ((), "")
    loop, connection, lease = new_loop(given, file, loop_file, settings, known, digest)
    hint(f"loop {loop.id}" + (f", {loop_file.lanes} lanes" if loop.lane else ""))
    if loop.lane and not detach:
        ended = drive_lanes(given, connection, loop, lease=lease, queue=queue)
        return report(given, History(connection), ended.loop, ended.error, ended.exit_code)
    if detach:
        detach_loop(given, loop, lease, queue=queue)
        report(given, History(connection), loop, None)
        return DETACHED
    return drive(given, connection, loop, lease=lease, queue=queue)


def known_trials(
    given: Options, which: str, file: Path, loop_file: LoopFile
) -> tuple[tuple[Trial, ...], str]:
    """The completed trials of a closed loop, as the new loop holds them, and the source that they ended with.

    They are known with the values and the source that they ran. Where the user's source is another one by now, they
    are no points of a new sweep any more: then only an open loop, which chooses by itself, knows them.

    Raises:
        Refused: The loop is not closed: it takes proposals itself.
    """
    history = history_of(given) if given.shared else History(open_existing(given.database, write=True))
    before = named(history, which)
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


def _say_what_is_left_out(file: Path, loop_file: LoopFile) -> None:
    """Members of the user's own request that only a description has. What is wrong with it, Preflight says."""
    if loop_file.job.request:
        from wpfsm.adapters.aws.own_request import own_request

        with contextlib.suppress(Refused):
            _, left_out = own_request(file.parent / loop_file.job.request)
            if left_out:
                hint(f"job.request: left out what only the service reports: {', '.join(left_out)}")


def new_loop(
    given: Options,
    file: Path,
    loop_file: LoopFile,
    overrides: tuple[str, ...],
    known: tuple[Trial, ...] = (),
    source_digest: str = "",
) -> tuple[Loop, PatientConnection, Lease]:
    """Snapshot the source, take the loop's lock, and write its row. Nothing was asked of any service yet.

    The lock comes before the row, so that whoever sees the row sees that somebody drives it.
    """
    drawn = new_row(given, file, loop_file, overrides, source_digest)
    connection = create_or_open(given.database)
    why = created_from(file, known)
    while True:
        loop = replace(drawn, id=draw_id(loop_file.name))
        try:
            lease = own_group(given, loop.id) if loop_file.lanes > 1 else own_loop(given.database, loop.id)
        except Held:
            continue
        try:
            loop, *others = lanes_of(loop, loop_file.lanes)
            create_loop(
                connection, given.database, loop, why, [replace(t, loop_id=loop.id) for t in known], others
            )
        except IdTaken:
            lease.release()
        except BaseException:
            lease.release()
            raise
        else:
            return loop, connection, lease


def lanes_of(loop: Loop, count: int) -> list[Loop]:
    """The rows of a group's lanes, of which the first has the group's id; the loop alone where it has no lanes."""
    if count == 1:
        return [loop]
    return [
        replace(
            loop,
            id=loop.id if lane == 1 else f"{loop.id}-l{lane}",
            lane=lane,
            lane_of=loop.id if lane > 1 else "",
        )
        for lane in range(1, count + 1)
    ]


def created_from(file: Path, known: Sequence[Trial]) -> str:
    """Where a new loop comes from, in words."""
    return f"from {file}" + (f", with {len(known)} trial(s) of {known[0].taken_loop}" if known else "")


def new_row(
    given: Options, file: Path, loop_file: LoopFile, overrides: tuple[str, ...], source_digest: str = ""
) -> Loop:
    """The row of a new loop, still without its id, with its source kept on this machine."""
    now = WallClock().now()
    sources = LocalSources(siblings(given.database, "sources"), file.resolve().parent)
    digest = sources.snapshot(loop_file.job.source) if loop_file.job.source else ""
    if loop_file.job.source and (left_out := sources.look_through(loop_file.job.source).left_out):
        hint(f"left out of {loop_file.job.source}: " + listed(left_out))
    seconds = default_keep_alive("person" if sys.stdin.isatty() and not detached() else "program")
    return Loop(
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
        source_digest=source_digest or digest,
    )


def draw_id(name: str) -> str:
    """A new loop id: as much of the name as fits, and 40 random bits."""
    return f"{name[: MOST_ID - 2 * _RANDOM_BYTES - 1].rstrip('-')}-{secrets.token_hex(_RANDOM_BYTES)}"


MOST_ID = 40
"""Characters of a loop id, of which the names of its jobs are made (63 at most, with number)."""
_RANDOM_BYTES = 5
