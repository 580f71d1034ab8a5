"""What the verbs share: the options that every verb has, and printing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.records import JSON
from wpfsm.state.database import default_path

Output = Literal["human", "json", "jsonl", "none"]


@dataclass(frozen=True)
class Options:
    """What every verb takes.

    Attributes:
        output: The form of what goes to stdout.
        database: The SQLite file; of a shared place the path beside which this machine's copies are.
        endpoint_url: An endpoint that stands for AWS; empty for none.
        debug: Show tracebacks.
        shared: ``dynamodb://REGION/TABLE`` where a team's loops are; empty for this machine's own.
    """

    output: Output
    database: Path
    endpoint_url: str = ""
    debug: bool = False
    shared: str = ""


def options(output: str, db: str | None, endpoint_url: str | None, *, debug: bool = False) -> Options:
    """The options from the command line's words."""
    form: Output = "json" if output == "json" else "jsonl" if output == "jsonl" else "human"
    named = db or os.environ.get("WPFSM_DB", "")
    if named.startswith("dynamodb://"):
        from wpfsm.state.shared.location import cache_of

        return Options(form, cache_of(named), endpoint_url or "", debug, named)
    return Options(form, Path(db) if db else default_path(), endpoint_url or "", debug)


def print_json(document: Mapping[str, object]) -> None:
    """One object on stdout: indented for people, one line when piped."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(document, indent=indent, ensure_ascii=False), flush=True)


def emit(given: Options, document: Mapping[str, JSON], human: str) -> None:
    """The document as JSON, or its human form."""
    if given.output == "none":
        return
    if given.output == "human":
        print(human, flush=True)
    else:
        print_json(document)


def duration(option: str, text: str) -> float:
    """Seconds of an option's value.

    Raises:
        UsageError: It is not written as number and unit.
    """
    from wpfsm.fsm.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", fix=f"{option} 9m") from error


def hint(text: str) -> None:
    """A line for people, on stderr."""
    print(text, file=sys.stderr, flush=True)


def read_text(file: Path) -> str:
    """The text of a log; ``-`` is standard input."""
    if str(file) == "-":
        return _lines(sys.stdin.read())
    try:
        return _lines(file.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise UsageError(
            f"{file}: {error.strerror}", fix="name a file with the job's log, or - for stdin"
        ) from error


def _lines(text: str) -> str:
    """The messages of what ``aws logs get-log-events`` or ``filter-log-events`` printed; any other text as it is."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        events = json.loads(text)["events"]
        return "\n".join(str(event["message"]) for event in events)
    except (ValueError, KeyError, TypeError):
        return text
