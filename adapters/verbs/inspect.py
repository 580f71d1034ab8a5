"""``inspect``: what the database knows, without asking any service. Nothing slow is imported here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.documents.liveness import Liveness, look
from wpfsm.adapters.documents.loop import loop_document, loops_document
from wpfsm.adapters.documents.rows import SCHEMA
from wpfsm.adapters.terminal.loop_text import loop_text, loops_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json, say
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.naming import named
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.ports import History, LoopHeader
from wpfsm.fsm.records import JSON, Event, Loop, State
from wpfsm.state.database import explained

LOOK_SECONDS = 0.2
"""Between two looks at the database while following it; a look costs a few microseconds."""


def inspect_all(given: Options, *, resumable: bool = False) -> int:
    """Every loop, newest first, or those that ``resume`` can take up."""
    with explained(given.database):
        loops = list(_looked_at(given, resumable=resumable))
    document = loops_document(loops)
    if given.output == "jsonl":
        for loop in document["loops"]:  # type: ignore[union-attr]
            print_json(loop)  # type: ignore[arg-type]
        return 0
    none = "no loop waits to be resumed" if resumable else ""
    emit(given, document, loops_text(document, terminal_width(), none=none))
    return 0


def _looked_at(
    given: Options, *, resumable: bool
) -> Iterator[tuple[LoopHeader, Event | None, Liveness | None]]:
    """The loops, each unfinished one with what happened last and whether its controller lives."""
    history, now = history_of(given), time.time()
    for header in history.loops(unfinished=resumable):
        if header.state == State.CLOSED:
            yield header, None, None
            continue
        controller = look(history, given.database, history.find(header.id), now)
        if not (resumable and controller.alive):
            yield header, history.last_event(header.id), controller


def inspect_one(given: Options, which: str) -> int:
    """One loop: now, why, jobs, ledger, next."""
    if given.output == "jsonl":
        return inspect_events(given, which)
    with explained(given.database):
        history = history_of(given)
        document = document_of(given, history, named(history, which))
    emit(given, document, loop_text(document, terminal_width()))
    return 0


def document_of(given: Options, history: History, loop: Loop) -> dict[str, JSON]:
    """The loop's document, with whether its controller lives."""
    now = time.time()
    return loop_document(history, loop, now, look(history, given.database, loop, now))


def inspect_job(given: Options, which: str, number: int) -> int:
    """Everything about one job."""
    from wpfsm.adapters.documents.job import job_document, job_of
    from wpfsm.adapters.terminal.job_text import job_text

    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        document = job_document(history, given.database, loop, job_of(history, loop, number), time.time())
    emit(given, document, job_text(document))
    return 0


def inspect_events(given: Options, which: str, since: int = 0, *, follow: bool = False) -> int:
    """The history after event ``since``; with ``follow``, on and on until the loop closes or hands off."""
    from wpfsm.adapters.documents.event import event_line, event_object, events_document

    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        try:
            if given.output == "json":  # one object, so what is followed is shown when it has ended
                found = list(_events(history, loop.id, since, follow=follow))
                print_json(events_document(history.find(loop.id), found))
                return 0
            for event in _events(history, loop.id, since, follow=follow):
                if given.output == "human":
                    say(event_line(event))
                else:
                    print_json(event_object(event))
        except KeyboardInterrupt:
            return 130
    return 0


def _events(history: History, loop_id: str, since: int, *, follow: bool) -> Iterator[Event]:
    """Events in order; while following, new ones as they are committed."""
    while True:
        # Read before the events: what a loop that rests has committed is then seen below.
        resting = at_rest(standing(history, history.find(loop_id)))
        for event in history.events(loop_id, since):
            since = event.seq
            yield event
        if resting or not follow:
            return
        time.sleep(LOOK_SECONDS)


def at_rest(loop: Loop) -> bool:
    """Whether nothing more happens to the loop without a new command: closed, or waiting in a hand-off."""
    return loop.state is State.CLOSED or loop.handoff is not None


def inspect_diagram(given: Options, which: str | None, file: Path | None) -> int:
    """The machine, and for a loop its state and the path taken: mermaid on stdout, or an image in a file."""
    from wpfsm.adapters.documents import diagram

    path = diagram.Taken()
    if which is not None:
        with explained(given.database):
            history = history_of(given)
            loop = named(history, which)
            path = diagram.path_of(loop, history.events(loop.id))
    if file is None:
        text = diagram.mermaid(path)
        document: dict[str, JSON] = {"schema": SCHEMA, "mermaid": text}
        emit(given, document, text.rstrip())
        return 0
    form = file.suffix.lower().lstrip(".")
    if form not in diagram.FORMS:
        raise UsageError(f"{file}: an image is one of {', '.join(diagram.FORMS)}", fix="name a .svg file")
    diagram.write(path, file)
    hint(f"wrote {file}")
    emit(given, {"schema": SCHEMA, "file": str(file)}, str(file))
    return 0
