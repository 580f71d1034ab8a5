"""The commands that the program prints carry what it was given itself.

A next step that is followed word for word must look where this one looked: without ``--endpoint-url`` it would ask
AWS instead of the emulator, and without ``--db`` another database. Sentences that name a command, argv lists of the
documents and the messages of errors all pass here on their way out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wpfsm.fsm.records import JSON


VERBS = (
    "init",
    "plan",
    "start",
    "resume",
    "inspect",
    "wait",
    "logs",
    "stop",
    "report",
    "explain",
    "diff",
    "release",
    "gc",
    "pools",
    "doctor",
    "next",
    "rehearse",
    "fetch",
    "export",
    "forget",
    "turn",
)
"""Verbs that read the database or ask the service."""

_COMMAND = re.compile(
    # What is told of a command that ran is no command to run: "stopped by `wpfsm stop`".
    r"(?<!\bby )(?<!\bby `)(?<!\ba )(?<![\w/.-])"
    rf"(?P<command>wpfsm (?:{'|'.join(VERBS)})(?![\w-])"
    # Its words: options, names in capitals, ids, files and settings. A plain word belongs to the sentence again.
    r"(?: (?:--?[a-z][\w-]*|[A-Z]+\b|(?=[^\s`,;]*[\d/=._-])[\w/=.:@%+-]*[\w/=]))*)"
)
_SPOKEN = frozenset({"why", "fix", "message", "text", "note", "hint", "advice"})
"""Members of a document that hold sentences of this program's. What a job printed is never touched."""

_given: list[str] = []
"""The options of this process, as words; one process runs one verb."""


def carry(db: str | None, endpoint_url: str | None) -> None:
    """Remember what this run was given. What came by the environment, the next command finds there too.

    Args:
        db: ``--db``; made absolute, for the next command may be run elsewhere.
        endpoint_url: ``--endpoint-url``.
    """
    _given[:] = [
        *(["--db", str(Path(db).absolute()) if "://" not in db else db] if db else []),
        *(["--endpoint-url", endpoint_url] if endpoint_url else []),
    ]


def in_argv(words: Sequence[str]) -> list[str]:
    """A command as a list of words, with the options that it does not have yet."""
    if len(words) < 2 or words[0] != "wpfsm" or words[1] not in VERBS:
        return list(words)
    pairs = zip(_given[::2], _given[1::2], strict=True)
    return [*words, *(word for name, value in pairs if name not in words for word in (name, value))]


def in_text(text: str) -> str:
    """Sentences, with the options at the end of each command in them."""
    return _COMMAND.sub(_with_options, text) if _given and "wpfsm " in text else text


def in_document(document: Mapping[str, JSON]) -> dict[str, JSON]:
    """A document: its argv lists, and the sentences of this program."""
    if not _given:
        return dict(document)
    return {key: _in_member(key, value) for key, value in document.items()}


def _with_options(found: re.Match[str]) -> str:
    pairs = zip(_given[::2], _given[1::2], strict=True)
    missing = [f"{name} {shlex.quote(value)}" for name, value in pairs if name not in found["command"]]
    return " ".join([found["command"], *missing])


def _in_member(key: str, value: JSON) -> JSON:
    if isinstance(value, str):
        return in_text(value) if key in _SPOKEN else value
    if isinstance(value, Mapping):
        return in_document(value)
    if isinstance(value, Sequence):
        if value and value[0] == "wpfsm":
            return in_argv([str(word) for word in value])
        return [_in_member("", item) for item in value]
    return value
