"""`wpfsm resume`: picks a loop up from its checkpoint."""

from __future__ import annotations

from wpfsm.adapters.bootstrap import Controller
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.detach import detached
from wpfsm.adapters.verbs.drive import drive, report
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.records import Outcome, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state.database import open_existing
from wpfsm.state.history import History


def resume(given: Options, which: str, *, accept_changes: bool, abandon: bool, detach: bool = False) -> int:
    """Take a loop up from its checkpoint; returns the exit code."""
    if abandon:
        return finish(given, which, Outcome.ABANDONED, "abandoned by `wpfsm resume --abandon`")
    if given.shared:
        from wpfsm.adapters.verbs import shared

        return shared.resume(given, which, accept_changes=accept_changes)
    connection = open_existing(given.database, write=True)
    loop = History(connection).find(which)
    if loop.state is State.CLOSED:
        return report(given, History(connection), loop, None)

    def take_up(owned: Controller) -> None:
        for note in take_up_changes(Context(owned.ports), accept=accept_changes):
            hint(note)

    # The background half of --detach is no new wish: a stop that came in between is still meant.
    return drive(given, connection, loop, first=take_up, detach=detach, forget_stop=not detached())


def finish(given: Options, which: str, outcome: Outcome, why: str) -> int:
    """Send a loop to Releasing and drive it to Closed. A closed loop is shown, and is no error."""
    if given.shared:
        from wpfsm.adapters.verbs import shared

        return shared.finish(given, which, outcome, why)
    connection = open_existing(given.database, write=True)
    loop = History(connection).find(which)
    if loop.state is State.CLOSED:
        report(given, History(connection), loop, None)
        return 0
    code = drive(given, connection, loop, first=lambda owned: controller.abandon(owned.ports, outcome, why))
    # Asked to clean up, cleaned up: the loop's own exit code says something else.
    return 0 if History(connection).find(loop.id).state is State.CLOSED else code
