"""``next``: one command is one experiment. It enqueues the proposal, follows it, and prints the verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence

from wpfsm.adapters.aws.targets import history_of, place_of, sources_of
from wpfsm.adapters.documents.event import event_line, event_object
from wpfsm.adapters.documents.experiment import experiment_object
from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.experiment_text import experiment_lines
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop
from wpfsm.adapters.verbs.drive import drive_owned
from wpfsm.adapters.verbs.inspect import document_of, look_seconds
from wpfsm.adapters.verbs.lanes import drive_lanes, own_group
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.adapters.verbs.proposal import Asked, proposal_of
from wpfsm.fsm.errors import Held, Refused, StoreError, WpfsmError, with_fix
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import EXIT_CODES, Loop, Proposal, State
from wpfsm.state.connection import PatientConnection
from wpfsm.state.database import open_existing
from wpfsm.state.history import History as SqliteHistory
from wpfsm.state.store import propose

ASKS, STILL_RUNNING = 10, 11


def next_(given: Options, which: str, asked: Asked, *, detach: bool) -> int:
    """Show what the loop waits for, or run one experiment and print its verdict; returns the exit code."""
    outlive_output()
    connection = None if given.shared else open_existing(given.database, write=True)
    history = history_of(given) if connection is None else SqliteHistory(connection)
    loop = standing(history, named(history, which, acting=True))
    if asked.is_empty:
        return _show(given, history, loop, _code(loop))
    if loop.state in (State.RELEASING, State.CLOSED):
        raise _over(loop)
    proposal = proposal_of(given, history, loop, asked)
    try:
        proposal = _propose(given, connection, proposal)
    except Refused as error:
        raise _over(history.find(loop.id)) from error
    if connection is None:
        return _hand_to_engine(given, history, loop, proposal, detach=detach)
    if detach:
        with contextlib.suppress(Held):  # whoever drives it finds the proposal
            if loop.lane:
                detach_loop(given, loop, own_group(given, loop.id))
            else:
                drive_owned(given, connection, loop, detach=True)
        return _show(given, history, history.find(loop.id), DETACHED)
    return _follow(given, connection, loop, proposal)


def _over(loop: Loop) -> Refused:
    return Refused(
        f"loop {loop.id} is over ({loop.outcome}): it takes no proposal, and its pool is released",
        fix=f"wpfsm start {loop.loop_path} --continue {loop.id} begins a new loop that knows its trials",
    )


def _propose(given: Options, connection: PatientConnection | None, proposal: Proposal) -> Proposal:
    """Write it where the loop's rows are."""
    if connection is not None:
        return propose(connection, given.database, proposal)
    from wpfsm.state.shared import loops

    place = place_of(given)
    return loops.propose(place.table, place.blobs, proposal)


def _answer(history: History, loop_id: str, number: int) -> tuple[Loop, Proposal, bool]:
    """The loop, the proposal, and whether it has its answer.

    Raises:
        Refused: It was refused, or the loop was over before it was taken.
    """
    row = history.proposal(loop_id, number)
    now = history.find(loop_id)
    if row.status == "refused":
        raise Refused(
            row.answer, fix=f"propose another, or the same with --again: wpfsm next {loop_id} --again"
        )
    if now.state is State.CLOSED and row.status == "open":
        raise _over(now)
    return now, row, row.status == "taken" and _has_ended(history, now, row)


def _hand_to_engine(given: Options, history: History, loop: Loop, proposal: Proposal, *, detach: bool) -> int:
    """Give a loop that waits to its engine again, wake one that sleeps, and watch until the answer is there."""
    from wpfsm.adapters.engine import executions

    place, begun = place_of(given), False
    executions.knock_lanes(place, loop)
    while True:
        now, row, answered = _answer(history, loop.id, proposal.number)
        now = standing(history, now)
        if answered:
            return _report(given, history, now, row, _code(now))
        if now.handoff is not None and (row.status == "taken" or now.handoff.kind == "limit"):
            _waits_on(history, now, row.number)
            return _report(given, history, now, row, ASKS)
        idle = _idle(given, history, now) if row.status == "open" else ()
        if idle and not begun:
            begun = True  # once: whatever becomes of that execution, the sweep looks after it
            try:
                for each in idle:
                    executions.begin(place, each.id, each.generation)
            except StoreError as error:
                hint(f"note: it is enqueued, but {error.message}\n  {error.fix}")
                return _show(given, history, now, STILL_RUNNING)
        if detach:
            return _show(given, history, history.find(loop.id), STILL_RUNNING)
        try:
            _watch(given, history, loop.id)
        except KeyboardInterrupt:
            hint(f"the engine goes on with it; wpfsm wait {loop.id} follows")
            return STILL_RUNNING


def _idle(given: Options, history: History, loop: Loop) -> Sequence[Loop]:
    """What no execution drives: the loop, or the lanes of a group that wait for an answer."""
    from wpfsm.adapters.verbs.shared_lanes import not_driven

    if loop.lane:
        return not_driven(given, history, loop)
    return [loop] if look(history, given.database, loop, time.time()).alive is False else []


def _follow(given: Options, connection: PatientConnection, loop: Loop, proposal: Proposal) -> int:
    """Drive the loop, or watch whoever drives it, until the proposal has its answer."""
    history = SqliteHistory(connection)
    while True:
        now, row, answered = _answer(history, loop.id, proposal.number)
        if answered:
            return _report(given, history, now, row, _code(now))
        try:
            result = drive_lanes(given, connection, now) if now.lane else drive_owned(given, connection, now)
            assert result is not None, "it was driven here"
        except Held:
            _watch(given, history, loop.id)
            continue
        if result.error is not None:
            return _report(given, history, result.loop, row, result.exit_code, result.error)
        if result.loop.state is State.CLOSED and row.kind == "trial":
            row = history.proposal(loop.id, proposal.number)
            if row.status == "taken":
                return _report(given, history, result.loop, row, result.exit_code)
        if result.exit_code == ASKS and _waits_on(history, result.loop, proposal.number):
            return _report(given, history, result.loop, row, ASKS)


def _waits_on(history: History, loop: Loop, number: int) -> bool:
    """Whether the loop waits for somebody before the proposal has its answer: its job failed, or a limit is met."""
    row = history.proposal(loop.id, number)
    if row.status == "open":
        hint(f"proposal {number} is kept, and runs once the loop goes on")
    return row.status == "open" or (row.status == "taken" and not _has_ended(history, loop, row))


def _has_ended(history: History, loop: Loop, row: Proposal) -> bool:
    if row.kind == "done":
        return loop.state is State.CLOSED
    assert row.trial is not None, "a proposal that was taken has its trial"
    return history.trial(loop.id, row.trial).state not in ("pending", "running")


def _watch(given: Options, history: History, loop_id: str) -> None:
    """Tell what another controller does, until something happened that may be the answer."""
    last = history.last_event(loop_id)
    seen = last.seq if last else 0
    while True:
        time.sleep(look_seconds(given))
        found = list(history.events(loop_id, seen))
        for event in found:
            seen = event.seq
            if given.output == "jsonl":
                print_json(event_object(event))
            else:
                hint(event_line(event))
        loop = history.find(loop_id)
        if any(
            event.kind in ("handed_off", "proceed", "release", "released", "proposal_refused")
            for event in found
        ):
            return
        if look(history, given.database, loop, time.time()).alive is not True:
            return


def _report(
    given: Options, history: History, loop: Loop, row: Proposal, code: int, error: WpfsmError | None = None
) -> int:
    return _show(given, history, history.find(loop.id), code, row.trial, error)


def _show(
    given: Options,
    history: History,
    loop: Loop,
    code: int,
    trial: int | None = None,
    error: WpfsmError | None = None,
) -> int:
    """Print the loop's document, with the experiment where there is one."""
    document = document_of(given, history, loop)
    sources = sources_of(given, loop)
    document["experiment"] = experiment_object(history, sources, loop, trial) if trial else None
    text = loop_text(document, terminal_width())
    if trial:
        experiment = document["experiment"]
        assert isinstance(experiment, Mapping)
        text = "\n".join([*experiment_lines(experiment), "", text])
    if error is not None:
        from wpfsm.adapters.documents.loop import error_document

        document["error"] = error_document(error)["error"]
        hint(with_fix(f"error: {error}", error.fix))
    emit(given, document, text)
    return code


def _code(loop: Loop) -> int:
    if loop.state is State.CLOSED and loop.outcome is not None:
        return EXIT_CODES[loop.outcome]
    return ASKS if loop.handoff is not None else STILL_RUNNING
