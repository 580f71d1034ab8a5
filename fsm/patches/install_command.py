"""What may be taken from a ``pip install ...`` that a message quotes: complete requirements that stand alone.

Such a text is prose of whoever wrote the message. It may name a file of requirements, an address, an option with a
value, a package in the middle of a sentence. Only what is a requirement by PEP 508, and nothing else, is taken.
"""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement

_PLAIN_OPTIONS = frozenset(
    {
        "-U",
        "--upgrade",
        "-q",
        "--quiet",
        "--user",
        "--pre",
        "--no-cache-dir",
        "--no-cache",
        "--force-reinstall",
        "-I",
        "--ignore-installed",
        "--no-deps",
        "--no-build-isolation",
        "--upgrade-strategy=eager",
        "-v",
        "--verbose",
        "-qU",
        "-Uq",
    }
)
"""Options that change nothing about which distribution is meant, and take no value of their own."""
_WORD = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|[^\s'\"`]+")
_END = re.compile(r"[`)}]|(?<=[\w\]])[.;:!?,](?=\s|$)|(?<=\s)(?:#|\||&&|>|in your|to your|or|and)(?=\s|$)")


def named_requirements(command: str) -> tuple[Requirement, ...]:
    """The requirements that the text behind ``pip install`` names; empty when it is anything but plain requirements.

    Args:
        command: what follows ``pip install``, to the end of the line.
    """
    quoted = command.startswith(("'", '"')) and command.find(command[0], 1) > 0
    end = None if quoted else _END.search(command)
    text = command[: end.start()] if end else command
    found: list[Requirement] = []
    for match in _WORD.finditer(text):
        word = match.group().strip("'\"").rstrip(".,;:!?")
        if word in _PLAIN_OPTIONS:
            continue
        requirement = _requirement(word)
        if requirement is None:
            # A sentence that goes on behind one requirement makes a word of it, too: nothing stands alone.
            return tuple(found) if match.group()[0] in "'\"" and found else ()
        found.append(requirement)
        if quoted:
            break
    return tuple(found)


def _requirement(word: str) -> Requirement | None:
    if (
        not word
        or word.startswith(("-", ".", "/", "~"))
        or "/" in word
        or "\\" in word
        or word.endswith((".txt", ".whl", ".toml"))
    ):
        return None
    try:
        requirement = Requirement(word)
    except InvalidRequirement:
        return None
    return None if requirement.url or requirement.marker else requirement
