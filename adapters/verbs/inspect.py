"""``inspect``: what the database knows, without asking any service. Nothing slow is imported here."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.aws.targets import archive_of, history_of, sources_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.documents.liveness import Liveness, look
from wpfsm.adapters.documents.loop import loop_document, loops_document
from wpfsm.adapters.terminal.loop_text import loop_text, loops_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json, say
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.records import JSON, Event, Loop, LoopHeader, State
from wpfsm.fsm.units import parse_duration
from wpfsm.state.database import explained

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History

LOOK_SECONDS = 0.2
"""Between two looks at the database while following it; a look costs a few microseconds."""
SHARED_LOOK_SECONDS = 2.0
"""The same for a table over the network, which bills for each look."""


def look_seconds(given: Options) -> float:
    """How long to wait between two looks."""
    return SHARED_LOOK_SECONDS if given.shared else LOOK_SECONDS


@dataclass(frozen=True)
class Wanted:
    """Which loops a list is to show.

    Attributes:
        resumable: Those that ``resume`` can take up.
        unfinished: Those that are not closed.
        since: Those that something happened to after this moment, in seconds since the epoch.
        name: Those of this name, in which ``*`` and ``?`` stand for what they do in a shell; empty for any.
    """

    resumable: bool = False
    unfinished: bool = False
    since: float = 0
    name: str = ""

    def __contains__(self, header: LoopHeader) -> bool:
        """Whether a loop is among them, as far as its header tells."""
        named_so = not self.name or fnmatch.fnmatchcase(header.name, self.name)
        return named_so and header.updated_at >= self.since


def inspect_all(given: Options, wanted: Wanted | None = None) -> int:
    """Every loop, newest first, or those that are wanted."""
    wanted = wanted or Wanted()
    with explained(given.database):
        loops = list(_looked_at(given, wanted))
    document = loops_document(loops)
    if given.output == "jsonl":
        for loop in document["loops"]:  # type: ignore[union-attr]
            print_json(loop)  # type: ignore[arg-type]
        return 0
    none = "no loop waits to be resumed" if wanted.resumable else "" if wanted == Wanted() else "no such loop"
    emit(given, document, loops_text(document, terminal_width(), none=none), colour=True)
    return 0


def _looked_at(given: Options, wanted: Wanted) -> Iterator[tuple[LoopHeader, Event | None, Liveness | None]]:
    """The loops, each unfinished one with what happened last and whether its controller lives."""
    history, now = history_of(given), time.time()
    for header in history.loops(unfinished=wanted.resumable or wanted.unfinished):
        if header not in wanted:
            continue
        if header.state == State.CLOSED:
            yield header, None, None
            continue
        controller = look(history, given.database, history.find(header.id), now)
        if not (wanted.resumable and controller.alive):
            yield header, history.last_event(header.id), controller


def moment_of(text: str, now: float) -> float:
    """The moment that ``--since`` means in a list of loops: so long ago, or a date.

    Raises:
        UsageError: It is neither.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--since {text}: neither a duration nor a moment", fix="--since 2h, or --since 2026-11-28"
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def sequence_number(text: str) -> int:
    """The event that ``--since`` means in the history of one loop.

    Raises:
        UsageError: It is no number of an event.
    """
    if not text.isdecimal():
        raise UsageError(
            f"--since {text}: the history of one loop goes on after an event",
            fix="--since SEQ, as in --since 12",
        )
    return int(text)


def inspect_one(given: Options, which: str, *, refresh: bool = False) -> int:
    """One loop: now, why, jobs, ledger, next; with ``refresh`` what the service says at this moment, too."""
    if given.output == "jsonl" and not refresh:
        return inspect_events(given, which)
    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        document = document_of(given, history, loop)
    text = loop_text(document, terminal_width())
    if refresh:
        from wpfsm.adapters.verbs.service_now import service_now, service_text

        document["service"] = now = service_now(given, loop, history.jobs(loop.id))
        text += "\n" + service_text(now)
    emit(given, document, text, colour=True)
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
        job = job_of(history, loop, number)
        sources, archive = sources_of(given, loop), archive_of(given)
        document = job_document(history, archive, sources, loop, job, time.time())
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
                found = list(_events(history, loop.id, since, follow=follow, seconds=look_seconds(given)))
                print_json(events_document(history.find(loop.id), found))
                return 0
            for event in _events(history, loop.id, since, follow=follow, seconds=look_seconds(given)):
                if given.output == "human":
                    say(event_line(event))
                else:
                    print_json(event_object(event))
        except KeyboardInterrupt:
            return 130
    return 0


def _events(history: History, loop_id: str, since: int, *, follow: bool, seconds: float) -> Iterator[Event]:
    """Events in order; while following, new ones as they are committed."""
    while True:
        # Read before the events: what a loop that rests has committed is then seen below.
        resting = at_rest(standing(history, history.find(loop_id)))
        for event in history.events(loop_id, since):
            since = event.seq
            yield event
        if resting or not follow:
            return
        time.sleep(seconds)


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
