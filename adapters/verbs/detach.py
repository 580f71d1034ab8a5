"""`--detach`: the loop goes on in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from wpfsm.adapters.engine.bootstrap import INHERITED_LOCK
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.records import Loop
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.leases import Lease
from wpfsm.state.paths import siblings
from wpfsm.state.private import private, private_folder

DETACHED = 11


def detached() -> bool:
    """Whether this process is the background half of ``--detach``."""
    return "WPFSM_DETACHED" in os.environ


def queued() -> bool:
    """Whether this process is the background half of ``--queue --detach``."""
    return "WPFSM_QUEUED" in os.environ


def detach_loop(given: Options, loop: Loop, lease: Lease, *, queue: bool = False) -> None:
    """Hand the loop to a process of its own, which outlives this one.

    With ``queue`` it waits for a pool that another loop holds. The child inherits the locked descriptor: at no moment does the loop look as if nobody drove it.

    Raises:
        Refused: The child did not take the loop over.
    """
    log = siblings(given.database, "logs") / f"{loop.id}.controller.log"
    private_folder(log.parent)
    with open(log, "ab", opener=private) as output:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "wpfsm.cli",
                "resume",
                loop.id,
                "--db",
                str(given.database.absolute()),
                *(["--endpoint-url", given.endpoint_url] if given.endpoint_url else []),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={
                **os.environ,
                "WPFSM_DETACHED": "1",
                INHERITED_LOCK: str(lease.fileno()),
                **({"WPFSM_QUEUED": "1"} if queue else {}),
            },
            pass_fds=(lease.fileno(),),
        )
    try:
        _await_owner(given, loop, child, log)
    finally:
        lease.hand_over()
    hint(f"detached; its output goes to {log}")


def _await_owner(given: Options, loop: Loop, child: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the child has taken the loop over, so that whoever looks next finds its controller.

    Raises:
        Refused: It ended, or a minute passed, and it had not.
    """
    history = History(open_existing(given.database))
    deadline, began = time.monotonic() + 60, time.time()
    while time.monotonic() < deadline:
        ended = child.poll() is not None  # read before the row: what the child wrote is seen below
        owner = history.owner(loop.id)
        if owner and (owner.pid == child.pid or (loop.lane and owner.since > began)):
            return
        if ended:
            break
        time.sleep(0.02)
    raise Refused(
        f"the controller of {loop.id} did not start", fix=f"read {log}, then wpfsm resume {loop.id}"
    )
