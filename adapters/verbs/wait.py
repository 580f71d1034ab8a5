"""``wait``: until a loop ends, hands off, loses its controller, or the time is up."""

from __future__ import annotations

import time
from dataclasses import dataclass

from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.documents.event import event_line, event_object
from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.terminal.output import Options, duration_option, emit, hint, print_json
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.inspect import document_of, look_seconds
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import EXIT_CODES, Loop, State
from wpfsm.state.database import explained

HANDED_OFF = 10
STILL_RUNNING = 11
NOT_CONFIRMED = 30
_DEAD_SECONDS = 1.0
"""How long nobody may drive a loop before its controller counts as dead: one may just be taking over."""


@dataclass(frozen=True)
class _Rest:
    """Why the wait is over."""

    code: int
    text: str


def wait(given: Options, which: str, timeout: str) -> int:
    """Wait, telling each event on stderr; returns the loop's exit code, or 11 while it still runs."""
    outlive_output()  # the exit code is what is waited for
    seconds = duration_option("--timeout", timeout)
    with explained(given.database):
        history = history_of(given)
        loop_id = named(history, which, acting=True).id
        try:
            rest = _until_rest(given, history, loop_id, time.monotonic() + seconds)
        except KeyboardInterrupt:
            hint(f"the loop goes on; wpfsm wait {loop_id} waits again, wpfsm stop {loop_id} ends it")
            return 130
        document = document_of(given, history, history.find(loop_id))
    hint(rest.text)
    if given.output != "jsonl":
        emit(given, document, loop_text(document, terminal_width()))
    return rest.code


def _until_rest(given: Options, history: History, loop_id: str, deadline: float) -> _Rest:
    last = history.last_event(loop_id)
    seen = last.seq if last else 0
    driven_at = time.monotonic()
    while True:
        loop = standing(history, history.find(loop_id))
        for event in history.events(loop_id, seen):
            seen = event.seq
            if given.output == "jsonl":
                print_json(event_object(event))
            else:
                hint(event_line(event))
        alive = look(history, given.database, loop, time.time()).alive
        if (rest := _ended(loop)) and not (alive and _is_answered(history, loop)):
            return rest
        now = time.monotonic()
        if alive is not False:
            driven_at = now
        elif now - driven_at >= _DEAD_SECONDS:
            return _deserted(history, loop)
        if now >= deadline:
            return _Rest(STILL_RUNNING, f"still {loop.state}; wpfsm wait {loop_id} waits again")
        time.sleep(min(look_seconds(given), max(0.0, deadline - now)))


def _is_answered(history: History, loop: Loop) -> bool:
    """Whether somebody has proposed what its controller is about to take: `next --detach` comes back before that."""
    asks = loop.handoff is not None and loop.handoff.kind != "limit"
    return asks and any(each.status == "open" for each in history.proposals(loop.id))


def _ended(loop: Loop) -> _Rest | None:
    if loop.state is State.CLOSED:
        assert loop.outcome is not None, "a closed loop has an outcome"
        return _Rest(EXIT_CODES[loop.outcome], f"closed: {loop.outcome}")
    if loop.handoff is not None:
        kind = loop.handoff.kind
        if kind == "ask":
            return _Rest(HANDED_OFF, f"it waits for a proposal: wpfsm next {loop.id}")
        if kind == "limit":
            return _Rest(HANDED_OFF, f"a limit: raise it, then wpfsm resume {loop.id} --accept-changes")
        return _Rest(HANDED_OFF, f"hand-off: edit the source, then wpfsm resume {loop.id}")
    return None


def _deserted(history: History, loop: Loop) -> _Rest:
    """Nobody drives it. While it is being released, that means that the release is not confirmed."""
    owed = history.owed_jobs(loop.id)
    if loop.state is State.RELEASING and owed:
        return _Rest(NOT_CONFIRMED, f"release not confirmed, a pool may still bill: wpfsm release {loop.id}")
    return _Rest(STILL_RUNNING, f"its controller is dead: wpfsm resume {loop.id}")
