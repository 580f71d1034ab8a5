"""Owns a loop, drives it, and prints what came of it: what `start` and `resume` share."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

from wpfsm.adapters.bootstrap import Controller, connect
from wpfsm.adapters.documents.loop import error_document
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop
from wpfsm.adapters.verbs.inspect import document_of
from wpfsm.adapters.watchers.audience import audience
from wpfsm.fsm import controller, ports
from wpfsm.fsm.errors import WpfsmError
from wpfsm.fsm.records import Loop
from wpfsm.state.history import History


def drive(
    given: Options,
    connection: sqlite3.Connection,
    loop: Loop,
    first: Callable[[Controller], None] | None = None,
    *,
    detach: bool = False,
    forget_stop: bool = False,
) -> int:
    """Own the loop, drive it, print what came of it; with ``detach``, do ``first`` here and the rest behind.

    ``forget_stop`` is for a person who resumes a loop that was asked to stop before.
    """
    signals = StopSignals(on_signal)
    signals.install()
    with contextlib.closing(signals), audience(given, loop, History(connection)) as observers:
        owned = connect(
            connection,
            given.database,
            loop,
            progress=observers.progress,
            notifier=observers.notifier,
            signals=signals,
            hook=observers.hook,
            forget_stop=forget_stop,
        )
        try:
            if first:
                first(owned)
            result = None if detach else controller.drive(owned.ports)
        finally:
            owned.close()
    if result is None:
        detach_loop(given, loop)
        report(given, History(connection), loop, None)
        return DETACHED
    return report(given, History(connection), result.loop, result.error, result.exit_code)


def on_signal(reason: str, count: int) -> None:
    """Tell a person that the signal was heard, and that leaving now costs money."""
    if count == 1:
        hint(f"{reason}: stopping the job and releasing the pool; this takes up to a few minutes")
    else:
        hint("still releasing; leaving now would leave a pool billing")


def report(
    given: Options,
    history: ports.History,
    loop: Loop,
    error: WpfsmError | None,
    code: int | None = None,
) -> int:
    """Print the loop's document; returns the exit code."""
    document = document_of(given, history, history.find(loop.id))
    if error is not None:
        document["error"] = error_document(error)["error"]
        hint(f"error: {error}" + (f"\n  fix: {error.fix}" if error.fix else ""))
    if given.output == "jsonl" and code is not None:
        # The events were streamed while the loop was driven; an error is all that they do not say.
        if error is not None:
            print_json(error_document(error))
        return code
    emit(given, document, loop_text(document, terminal_width()))
    if code is not None:
        return code
    shown = document["loop"]
    exit_code = shown.get("exit_code") if isinstance(shown, dict) else None
    return exit_code if isinstance(exit_code, int) else 0
