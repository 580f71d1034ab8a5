"""The requirements files of a source, read as far as a check needs them: names, and whether anything is left open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_REFERENCE = re.compile(r"^(?:-r\s*=?|--requirement[\s=])\s*(?P<name>\S.*)$")
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--(?:hash|config-settings?|global-option)[=\s].*$")


@dataclass(frozen=True)
class Line:
    """One requirement.

    Attributes:
        name: Canonical name of the distribution; empty for a folder, an address or anything else that does not tell.
        text: As it is written.
        file: The requirements file.
        line: Counted from 1.
    """

    name: str
    text: str
    file: str
    line: int


def requirement_lines(files: Mapping[str, str], name: str) -> Iterator[Line]:
    """The requirements of a file and of those that it includes."""
    yield from _lines(files, name, set())


def _lines(files: Mapping[str, str], name: str, seen: set[str]) -> Iterator[Line]:
    if name in seen:
        return
    seen.add(name)
    if name not in files:
        yield Line("", name, name, 1)
        return
    for number, raw in enumerate(files[name].splitlines(), start=1):
        text = _HASH.sub("", _COMMENT.sub("", raw).strip().rstrip("\\").strip())
        if reference := _REFERENCE.match(text):
            yield from _lines(files, _beside(name, reference["name"]), seen)
        elif text.startswith(("-e", "--editable")):
            yield Line("", text, name, number)
        elif text and not text.startswith("-"):
            yield Line(_name(text), text, name, number)


def _beside(name: str, other: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / other).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return str(PurePosixPath(*parts)) if parts else other


def _name(text: str) -> str:
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return ""
