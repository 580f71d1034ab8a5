"""What the verbs share: the options that every verb has, and printing."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wpfsm.adapters.terminal.commands import in_document, in_text
from wpfsm.adapters.terminal.visible import visible, visible_json
from wpfsm.fsm.errors import UsageError
from wpfsm.state.paths import default_path, real_path

if TYPE_CHECKING:
    from wpfsm.fsm.records import JSON

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

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
    return Options(form, real_path(Path(db) if db else default_path()), endpoint_url or "", debug)


def print_json(document: Mapping[str, JSON]) -> None:
    """One object on stdout: indented for people, one line when piped."""
    indent = 2 if sys.stdout.isatty() else None
    print(visible_json(json.dumps(in_document(document), indent=indent, ensure_ascii=False)), flush=True)


def say(text: str, *, colour: bool = False) -> None:
    """Text for people on stdout: the commands in it can be followed, and nothing in it acts on a terminal.

    Args:
        text: What is said.
        colour: It has words of states and outcomes, which are coloured where stdout is a terminal.
    """
    from wpfsm.adapters.terminal.colour import painted, wanted

    safe = visible(in_text(text))
    print(painted(safe) if colour and wanted() else safe, flush=True)


def emit(given: Options, document: Mapping[str, JSON], human: str, *, colour: bool = False) -> None:
    """The document as JSON, or its human form, coloured at a terminal where the verb asks for it."""
    if given.output == "none":
        return
    if given.output == "human":
        say(human, colour=colour)
    else:
        print_json(document)


def duration_option(option: str, text: str) -> float:
    """Seconds of an option's value.

    Raises:
        UsageError: It is not written as number and unit.
    """
    from wpfsm.fsm.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", fix=f"{option} 9m") from error


_hints: list[Callable[[str], None]] = []
"""Who shows hints instead of stderr: a view that is being drawn there."""


@contextlib.contextmanager
def hints_to(show: Callable[[str], None]) -> Iterator[None]:
    """While a view is drawn on stderr, hints are lines above it: printed into it they would tear its frame."""
    _hints.append(show)
    try:
        yield
    finally:
        _hints.remove(show)


def hint(text: str) -> None:
    """A line for people, on stderr."""
    safe = visible(in_text(text))
    if _hints:
        _hints[-1](safe)
    else:
        print(safe, file=sys.stderr, flush=True)


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names in a row, the first of them when there are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def write_whole(target: Path, text: str) -> None:
    """All of a file or none of it; what was there is replaced.

    Raises:
        UsageError: It cannot be written there.
    """
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        os.replace(file.name, target)  # noqa: PTH105 - reads as what it is
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}", fix="name a file in a folder that exists") from error


def read_text(file: Path) -> str:
    """The text of a log; ``-`` is standard input."""
    try:
        return _lines(decoded(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()))
    except OSError as error:
        raise UsageError(
            f"{file}: {error.strerror}", fix="name a file with the job's log, or - for stdin"
        ) from error


def decoded(data: bytes) -> str:
    """Text of a file that some program wrote: UTF-8, or what its byte order mark says; bytes that are none are replaced.

    ``program > file`` in PowerShell writes UTF-16, some editors put a mark before UTF-8.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace").replace("\r\n", "\n")
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _lines(text: str) -> str:
    """The messages of what ``aws logs get-log-events`` or ``filter-log-events`` printed; any other text as it is."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        events = json.loads(text)["events"]
        return "\n".join(str(event["message"]) for event in events)
    except (ValueError, KeyError, TypeError):
        return text
