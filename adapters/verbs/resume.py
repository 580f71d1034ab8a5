"""`wpfsm resume`: picks a loop up from its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.engine.bootstrap import Controller
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop, detached
from wpfsm.adapters.verbs.drive import drive, report, send_again
from wpfsm.adapters.verbs.lanes import abandon_group, drive_lanes, own_group, take_up_answer
from wpfsm.adapters.verbs.loop_name import in_lane, named
from wpfsm.adapters.verbs.proposal import instead_of_failed
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Held, with_fix
from wpfsm.fsm.records import Loop, Outcome, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state.connection import PatientConnection
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.store import forget_stop, propose

ENDED = 1
"""Exit code of ``resume`` for a loop that ended on an outage of the service: it ended without its goal."""


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
    outlive_output()
    if abandon:
        return finish(given, which, Outcome.ABANDONED, "abandoned by `wpfsm resume --abandon`")
    if given.shared:
        from wpfsm.adapters.verbs import shared

        return shared.resume(given, which, accept_changes=accept_changes, skip=skip, settings=settings)
    connection = open_existing(given.database, write=True)
    loop = named(History(connection), which, acting=True)
    if loop.state is State.CLOSED:
        code = report(given, History(connection), loop, None)
        send_again(given, loop)
        if loop.outcome is not Outcome.TRANSIENT:
            return code
        # The code of its end says that the same command may be run again; this one would change nothing ever.
        hint(
            with_fix(
                f"{loop.id} is closed, and a closed loop is not resumed",
                f"wpfsm start {loop.loop_path}, a new loop",
            )
        )
        return ENDED
    if skip or settings:
        waiting = standing(History(connection), loop)
        propose(connection, given.database, instead_of_failed(waiting, skip=skip, settings=settings))

    if loop.lane and not in_lane():
        return _resume_group(given, connection, loop, accept_changes=accept_changes, detach=detach)

    def take_up(owned: Controller) -> None:
        for note in take_up_changes(Context(owned.ports), accept=accept_changes):
            hint(note)

    # The background half of --detach is no new wish: a stop that came in between is still meant.
    return drive(given, connection, loop, first=take_up, detach=detach, forget_stop=not detached())


def _resume_group(
    given: Options, connection: PatientConnection, group: Loop, *, accept_changes: bool, detach: bool
) -> int:
    lease = own_group(given, group.id)
    try:
        take_up_answer(given, connection, group, accept=accept_changes)
    except BaseException:
        lease.release()
        raise
    if detach:
        forget_stop(connection, given.database, group.id)
        detach_loop(given, group, lease)
        report(given, History(connection), group, None)
        return DETACHED
    ended = drive_lanes(
        given, connection, group, lease=lease, accept_changes=accept_changes, forget_stop=True
    )
    return report(given, History(connection), ended.loop, ended.error, ended.exit_code)


def finish(given: Options, which: str, outcome: Outcome, why: str, *, judged: Loop | None = None) -> int:
    """Send a loop to Releasing and drive it to Closed. A closed loop is shown, and is no error.

    Args:
        given: The verb's options.
        which: The loop.
        outcome: How it ends.
        why: In words.
        judged: The loop as it was when it was taken for dead; nothing is done once somebody has driven it since.

    Raises:
        Held: Another controller drives it, or has since it was judged.
    """
    from wpfsm.adapters.aws.clients import Clients, Target
    from wpfsm.adapters.aws.places import GoneEmulator, vanished

    if given.shared:
        from wpfsm.adapters.verbs import shared

        return shared.finish(given, which, outcome, why, judged=judged)
    connection = open_existing(given.database, write=True)
    loop = named(History(connection), which, acting=True)
    if loop.state is State.CLOSED:
        report(given, History(connection), loop, None)
        return 0
    if loop.lane and not in_lane():
        lease = own_group(given, loop.id)
        try:
            abandon_group(given, connection, loop, outcome, why, judged=judged)
        except BaseException:
            lease.release()
            raise
        ended = drive_lanes(given, connection, loop, lease=lease)
        code = report(given, History(connection), ended.loop, ended.error, ended.exit_code)
        return 0 if ended.loop.state is State.CLOSED else code

    gone = vanished(given.database, loop)  # before an embedded emulator is started anew

    def abandon(owned: Controller) -> None:
        if judged is not None and owned.ports.store.loop().epoch != judged.epoch + 1:
            raise Held(f"loop {judged.id} was taken up by somebody else a moment ago")
        if gone:
            owned.ports.service = GoneEmulator(Clients(Target(loop.region, local=True)), gone)
        controller.abandon(owned.ports, outcome, why)

    if gone:
        hint(gone)
    code = drive(given, connection, loop, first=abandon)
    # Asked to clean up, cleaned up: the loop's own exit code says something else.
    return 0 if History(connection).find(loop.id).state is State.CLOSED else code
