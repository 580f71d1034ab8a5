"""`wpfsm resume`: picks a loop up from its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

from wpfsm.adapters.bootstrap import Controller
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import detached
from wpfsm.adapters.verbs.drive import drive, report
from wpfsm.adapters.verbs.next import params_of
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.records import Outcome, Proposal, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.store import propose


def resume(
    given: Options,
    which: str,
    *,
    accept_changes: bool,
    abandon: bool,
    detach: bool = False,
    skip: bool = False,
    settings: Sequence[str] = (),
) -> int:
    """Take a loop up from its checkpoint; returns the exit code.

    Args:
        given: The options of every verb.
        which: The loop.
        accept_changes: Take over changed free fields of the loop file.
        abandon: Only clean up.
        detach: Drive it in the background.
        skip: At a failure hand-off: give up the failed trial.
        settings: Likewise: make it anew with these hyperparameters, ``name=value``.
    """
    if abandon:
        return finish(given, which, Outcome.ABANDONED, "abandoned by `wpfsm resume --abandon`")
    connection = open_existing(given.database, write=True)
    loop = History(connection).find(which)
    if loop.state is State.CLOSED:
        return report(given, connection, loop, None)
    if skip or settings:
        if (loop.handoff or {}).get("kind", "failure") != "failure" or not loop.handoff:
            raise Refused(
                f"no failed trial of {loop.id} waits in a hand-off",
                fix=f"wpfsm inspect {loop.id} shows where it is",
            )
        kind: Literal["skip", "trial"] = "skip" if skip else "trial"
        proposal = Proposal(loop.id, 0, time.time(), kind, params_of(settings))
        propose(connection, given.database, proposal)

    def take_up(owned: Controller) -> None:
        for note in take_up_changes(Context(owned.ports), accept=accept_changes):
            hint(note)

    # The background half of --detach is no new wish: a stop that came in between is still meant.
    return drive(given, connection, loop, first=take_up, detach=detach, forget_stop=not detached())


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
