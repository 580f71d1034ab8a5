"""`wpfsm stop`: asks the controller to stop."""

from __future__ import annotations

import contextlib
import sqlite3
import time

from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.output import Options, duration_option, hint
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.errors import Held
from wpfsm.fsm.records import Loop, Outcome, State
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

STILL_RUNNING = 11


def stop(given: Options, which: str, timeout: str) -> int:
    """Ask the loop's controller to stop, and wait until it has released; without a controller, release here."""
    from wpfsm.state.store import request_stop

    outlive_output()
    if given.shared:
        from wpfsm.adapters.verbs import shared

        return shared.stop(given, which, duration_option("--timeout", timeout))
    deadline = time.monotonic() + duration_option("--timeout", timeout)
    connection = open_existing(given.database, write=True)
    history = History(connection)
    loop = named(history, which, acting=True)
    asked = False
    while loop.state is not State.CLOSED:
        if not look(history, given.database, loop, time.time()).alive:
            # Held: somebody took it up in this very moment, and is asked instead.
            with contextlib.suppress(Held):
                return _stop_here(given, loop)
        elif loop.state is not State.RELEASING and not history.stop_requested(loop.id):
            # Anew, when a controller that was only just taking over has not heard of it.
            request_stop(connection, given.database, loop.id, time.time())
            if not asked:
                hint(f"asked the controller of {loop.id} to stop; waiting for the release")
            asked = True
        if time.monotonic() >= deadline:
            so_far = (
                "still releasing" if loop.state is State.RELEASING else "its controller has not answered yet"
            )
            hint(f"{so_far}; wpfsm wait {loop.id} goes on waiting")
            return STILL_RUNNING
        time.sleep(0.1)
        loop = history.find(loop.id)
    return _shown(given, connection, loop)


def _stop_here(given: Options, loop: Loop) -> int:
    from wpfsm.adapters.verbs.resume import finish

    hint(f"no live controller drives {loop.id}; releasing it here")
    return finish(given, loop.id, Outcome.STOPPED, "stopped by `wpfsm stop`, without a live controller")


def _shown(given: Options, connection: sqlite3.Connection, loop: Loop) -> int:
    """The closed loop's document. Stopping has succeeded, whatever the loop's own exit code is."""
    from wpfsm.adapters.verbs.drive import report

    report(given, History(connection), loop, None)
    return 0
