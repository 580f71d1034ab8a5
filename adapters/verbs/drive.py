"""``start``, ``resume`` and what ends a loop: the verbs that own one."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from wpfsm.adapters.bootstrap import Controller, assemble
from wpfsm.adapters.documents import loop
from wpfsm.adapters.host.clock import Signals, WallClock
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.inspect import document_of
from wpfsm.adapters.watchers import notify
from wpfsm.adapters.watchers.audience import audience
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Refused, UsageError, WpfsmError
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.records import JSON, Loop, Outcome, State
from wpfsm.fsm.request import file_changes
from wpfsm.fsm.states.diagnosing import handoff
from wpfsm.fsm.steps.explain_pool_loss import mismatch_cost
from wpfsm.state.database import create_or_open, open_existing, siblings
from wpfsm.state.history import History
from wpfsm.state.store import create_loop

DETACHED = 11


def start(given: Options, file: Path, overrides: Sequence[str], backend: str | None, *, detach: bool) -> int:
    """Create a loop from a file and drive it to its end; returns the exit code."""
    settings = (*overrides, *([f"backend={backend}"] if backend else []))
    loop_file = load(file, settings, with_files=True)
    notify.require(loop_file.notify)
    loop, connection = new_loop(given, file, loop_file, settings)
    hint(f"loop {loop.id}")
    if detach:
        _detach(given, loop)
        report(given, connection, loop, None)
        return DETACHED
    return drive(given, connection, loop)


def new_loop(
    given: Options, file: Path, loop_file: LoopFile, overrides: tuple[str, ...]
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
        source_digest=digest,
    )
    connection = create_or_open(given.database)
    create_loop(connection, given.database, loop, f"from {file}")
    return loop, connection


def with_keep_alive(loop_file: LoopFile, seconds: float) -> LoopFile:
    """The file with its keep-alive decided, where it leaves it open."""
    if loop_file.pool.keep_alive is not None:
        return loop_file
    pool = loop_file.pool.model_copy(update={"keep_alive": seconds})
    return loop_file.model_copy(update={"pool": pool})


def detached() -> bool:
    """Whether this process is the background half of ``--detach``."""
    return "WPFSM_DETACHED" in os.environ


def _detach(given: Options, loop: Loop) -> None:
    """Hand the loop to a process of its own, which outlives this one."""
    log = siblings(given.database, "logs") / f"{loop.id}.controller.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "wpfsm.cli", "resume", loop.id, "--db", str(given.database.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "WPFSM_DETACHED": "1"},
        )
    _await_owner(given, loop, child, log)
    hint(f"detached; its output goes to {log}")


def _await_owner(given: Options, loop: Loop, child: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the child has taken the loop over, so that whoever looks next finds its controller.

    Raises:
        Refused: It ended, or a minute passed, and it had not.
    """
    history = History(open_existing(given.database))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ended = child.poll() is not None  # read before the row: what the child wrote is seen below
        owner = history.owner(loop.id)
        if owner and owner.pid == child.pid:
            return
        if ended:
            break
        time.sleep(0.02)
    raise Refused(
        f"the controller of {loop.id} did not start", fix=f"read {log}, then wpfsm resume {loop.id}"
    )


def resume(given: Options, which: str, *, accept_changes: bool, abandon: bool, detach: bool = False) -> int:
    """Take a loop up from its checkpoint; returns the exit code."""
    if abandon:
        return finish(given, which, Outcome.ABANDONED, "abandoned by `wpfsm resume --abandon`")
    connection = open_existing(given.database, write=True)
    loop = History(connection).find(which)
    if loop.state is State.CLOSED:
        return report(given, connection, loop, None)

    def take_up(owned: Controller) -> None:
        take_up_changes(owned, accept=accept_changes)

    return drive(given, connection, loop, first=take_up, detach=detach)


def finish(given: Options, which: str, outcome: Outcome, why: str) -> int:
    """Send a loop to Releasing and drive it to Closed. A closed loop is shown, and is no error."""
    connection = open_existing(given.database, write=True)
    loop = History(connection).find(which)
    if loop.state is State.CLOSED:
        report(given, connection, loop, None)
        return 0
    code = drive(given, connection, loop, first=lambda owned: controller.abandon(owned.ports, outcome, why))
    # Asked to clean up, cleaned up: the loop's own exit code says something else.
    return 0 if History(connection).find(loop.id).state is State.CLOSED else code


def drive(
    given: Options,
    connection: sqlite3.Connection,
    loop: Loop,
    first: Callable[[Controller], None] | None = None,
    *,
    detach: bool = False,
) -> int:
    """Own the loop, drive it, print what came of it; with ``detach``, do ``first`` here and the rest behind."""
    signals = Signals(_on_signal)
    signals.install()
    with contextlib.closing(signals), audience(given, loop, History(connection)) as told:
        owned = assemble(
            connection,
            given.database,
            loop,
            progress=told.progress,
            notifier=told.notifier,
            signals=signals,
            hook=told.hook,
        )
        try:
            if first:
                first(owned)
            result = None if detach else controller.drive(owned.ports)
        finally:
            owned.close()
    if result is None:
        _detach(given, loop)
        report(given, connection, loop, None)
        return DETACHED
    return report(given, connection, result.loop, result.error, result.exit_code)


def take_up_changes(owned: Controller, *, accept: bool) -> None:
    """Compare file and source with what the loop froze; an edited source closes a hand-off.

    Raises:
        Refused: A locked field changed, a free one changed and was not accepted, or nothing was changed
            since the hand-off.
    """
    ctx = Context(owned.ports)
    changed = _accept_file(ctx, accept=accept)
    job = ctx.store.last_job()
    if ctx.loop.handoff is not None and job is not None:
        trial = next(t for t in ctx.store.trials() if t.number == job.trial)
        folder = trial.source or ctx.file.job.source
        digest = ctx.sources.snapshot(folder) if folder else trial.source_digest
        handoff.take_up(ctx, digest, settings_changed=changed)
    elif ctx.file.job.source:
        _note_changed_source(ctx, ctx.file.job.source)


def _note_changed_source(ctx: Context, folder: str) -> None:
    """Say that the user's files are not the loop's any more, which never needs them again."""
    try:
        changed = "has changed" if ctx.sources.snapshot(folder) != ctx.loop.source_digest else ""
    except UsageError as error:
        changed = f"cannot be read any more ({error})"
    if changed:
        hint(f"note: {folder} {changed}; the loop goes on with its own snapshot")


def _accept_file(ctx: Context, *, accept: bool) -> bool:
    """Take over changed free fields of the loop file; True when there were any."""
    path = Path(ctx.loop.loop_path)
    if not path.exists():
        hint(f"note: {path} is gone; the loop goes on with the file as it was")
        return False
    try:
        now = load(path, ctx.loop.overrides)
    except UsageError as error:
        hint(f"note: the loop file cannot be read any more; the loop goes on with it as it was\n{error}")
        return False
    keep_alive = float(ctx.file.pool.keep_alive or 0)
    effective: dict[str, JSON] = with_keep_alive(now, keep_alive).dump()
    changed = file_changes.compare(ctx.loop.loop_file, effective)
    file_changes.check(changed, accept=accept, loop_id=ctx.loop.id, cost=mismatch_cost(ctx))
    if changed:
        keys = ", ".join(change.key for change in changed)
        # Kept with an open hand-off, which it answers even if this process ends before it is closed.
        noted = {"handoff": {**ctx.loop.handoff, "accepted": keys}} if ctx.loop.handoff else {}
        ctx.record("accepted", f"changes accepted: {keys}", loop={"loop_file": effective, **noted},
                   data={c.key: [c.old, c.new] for c in changed})  # fmt: skip
        ctx.reload()
    return bool(changed)


def _on_signal(reason: str, count: int) -> None:
    if count == 1:
        hint(f"{reason}: stopping the job and releasing the pool; this takes up to a few minutes")
    else:
        hint("still releasing; leaving now would leave a pool billing")


def report(
    given: Options,
    connection: sqlite3.Connection,
    loop: Loop,
    error: WpfsmError | None,
    code: int | None = None,
) -> int:
    """Print the loop's document; returns the exit code."""
    history = History(connection)
    document = document_of(given, history, history.find(loop.id))
    if error is not None:
        document["error"] = loop.error_document(error)["error"]
        hint(f"error: {error}" + (f"\n  fix: {error.fix}" if error.fix else ""))
    if given.output == "jsonl" and code is not None:
        # The events were streamed while the loop was driven; an error is all that they do not say.
        if error is not None:
            print_json(loop.error_document(error))
        return code
    emit(given, document, loop_text(document, terminal_width()))
    if code is not None:
        return code
    shown = document["loop"]
    exit_code = shown.get("exit_code") if isinstance(shown, dict) else None
    return exit_code if isinstance(exit_code, int) else 0
