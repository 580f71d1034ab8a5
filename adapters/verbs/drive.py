"""Owns a loop, drives it, and prints what came of it: what `start` and `resume` share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from wpfsm.adapters.documents.loop import error_document
from wpfsm.adapters.engine.bootstrap import Controller, connect
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop, queued
from wpfsm.adapters.verbs.inspect import document_of
from wpfsm.adapters.watchers.audience import audience
from wpfsm.fsm import controller, ports
from wpfsm.fsm.errors import NotConfirmed, WpfsmError, with_fix
from wpfsm.fsm.records import Loop, State
from wpfsm.state.connection import PatientConnection
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.leases import Lease


def drive(
    given: Options,
    connection: PatientConnection,
    loop: Loop,
    first: Callable[[Controller], None] | None = None,
    *,
    detach: bool = False,
    forget_stop: bool = False,
    queue: bool = False,
    lease: Lease | None = None,
) -> int:
    """Take ownership, run the loop, print the outcome.

    With ``detach`` only ``first`` is run here, and the rest in a background process.

    Args:
        given: The verb's options.
        connection: One that may write.
        loop: The loop.
        first: Done once the loop is owned, before it is driven.
        detach: Leave the driving to a process of its own.
        forget_stop: A person resumes it: a stop that was asked before does not hold any more.
        queue: Wait for a pool that another loop holds.
        lease: The right to drive the loop, where the caller has taken it already.
    """
    outlive_output()
    result = drive_owned(
        given, connection, loop, first, detach=detach, forget_stop=forget_stop, queue=queue, lease=lease
    )
    if result is None:
        report(given, History(connection), loop, None)
        return DETACHED
    return report(given, History(connection), result.loop, result.error, result.exit_code)


def drive_owned(
    given: Options,
    connection: PatientConnection,
    loop: Loop,
    first: Callable[[Controller], None] | None = None,
    *,
    detach: bool = False,
    forget_stop: bool = False,
    queue: bool = False,
    lease: Lease | None = None,
) -> controller.Result | None:
    """As :func:`drive`, and print nothing of what came of it; None when it was detached."""
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
            lease=lease,
        )
        owned.ports.queue = queue or queued()
        handed_on = False
        try:
            if first:
                first(owned)
            result = None if detach else controller.drive(owned.ports)
            handed_on = detach
        except WpfsmError:
            raise
        except Exception as error:
            observers.progress.trouble(error)
            if _is_closed(given, loop):
                raise
            raise _not_closed(given, loop, error) from error
        finally:
            owned.close(keep_loop=handed_on)
    if result is None:
        detach_loop(given, loop, owned.loop_lease, queue=queue)
    return result


def _is_closed(given: Options, loop: Loop) -> bool:
    with contextlib.suppress(Exception), contextlib.closing(open_existing(given.database)) as connection:
        return History(connection).find(loop.id).state is State.CLOSED
    return False


def _not_closed(given: Options, loop: Loop, error: Exception) -> WpfsmError:
    """What nobody expected, on a loop that is not Closed: a job or a pool may bill, and nobody looks."""
    from wpfsm.state.damage import damage

    found = damage(given.database)
    return NotConfirmed(
        f"{found or f'unexpected {type(error).__name__}: {error}'}; loop {loop.id} is not closed, and a job or a pool "
        "of it may bill",
        fix=found.fix
        if found
        else f"wpfsm resume {loop.id} goes on with it, wpfsm release {loop.id} only releases",
    )


def send_again(given: Options, loop: Loop) -> None:
    """Send to MLflow what could not be sent while the loop was driven; says what came of it."""
    from wpfsm.adapters.aws.targets import history_of
    from wpfsm.adapters.watchers.mlflow import tracker_for

    tracker = tracker_for(loop, lambda: history_of(given), lambda *_, **__: None)
    if tracker is not None:
        tracker.send()
        hint(
            f"note: MLflow could not be told: {tracker.missed}" if tracker.missed else "MLflow has all of it"
        )


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
        hint(with_fix(f"error: {error}", error.fix))
    if given.output == "jsonl" and code is not None:
        # The events were streamed while the loop was driven; an error is all that they do not say.
        if error is not None:
            print_json(error_document(error))
        return code
    emit(given, document, loop_text(document, terminal_width()), colour=True)
    if code is not None:
        return code
    shown = document["loop"]
    exit_code = shown.get("exit_code") if isinstance(shown, dict) else None
    return exit_code if isinstance(exit_code, int) else 0
