"""`--detach`: the loop goes on in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.records import Loop
from wpfsm.state.database import open_existing, siblings
from wpfsm.state.history import History

DETACHED = 11


def detached() -> bool:
    """Whether this process is the background half of ``--detach``."""
    return "WPFSM_DETACHED" in os.environ


def queued() -> bool:
    """Whether this process is the background half of ``--queue --detach``."""
    return "WPFSM_QUEUED" in os.environ


def detach_loop(given: Options, loop: Loop, *, queue: bool = False) -> None:
    """Hand the loop to a process of its own, which outlives this one; with ``queue`` it waits for a held pool."""
    log = siblings(given.database, "logs") / f"{loop.id}.controller.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "wpfsm.cli", "resume", loop.id, "--db", str(given.database.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "WPFSM_DETACHED": "1", **({"WPFSM_QUEUED": "1"} if queue else {})},
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
