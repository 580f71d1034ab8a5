"""Edits a requirements file and leaves every other line as it stands.

Comments, options (``-r``, ``--index-url``, ``-e``), order, extras, environment markers and line ends are kept. A
requirement that was compiled with hashes cannot be edited without computing new ones: it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

_COMMENT = re.compile(r"\s+#.*$|^\s*#.*$")
_HASH = re.compile(r"\s--hash[= ]")
_PER_REQUIREMENT_OPTION = re.compile(r"\s--(?:hash|config-settings?|global-option|install-option)[= ].*$")


class CannotEditError(ValueError):
    """The file cannot be changed by machine; the message says why."""


@dataclass(frozen=True)
class _Entry:
    """One logical line: it may span several physical ones by a backslash at the end."""

    text: str
    requirement: Requirement | None

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name) if self.requirement else ""


def requirements(text: str) -> tuple[Requirement, ...]:
    """The requirements that the file lists itself, in order; options and unreadable lines are left out."""
    return tuple(entry.requirement for entry in _entries(text) if entry.requirement)


def pin_of(text: str, name: str) -> SpecifierSet | None:
    """What the file says of a distribution; None when it does not list it."""
    wanted = canonicalize_name(name)
    return next((r.specifier for r in requirements(text) if canonicalize_name(r.name) == wanted), None)


def with_requirement(text: str, wanted: Requirement, *, replaces: str | None = None) -> str:
    """The file with a distribution required as wanted, and nothing else changed.

    The lines that list it get the new version specifier and keep extras and markers. A distribution that the file
    does not list is added at the end.

    Args:
        text: the file.
        wanted: the distribution and the version specifier that it shall have.
        replaces: a distribution whose line is taken over (``sklearn`` by ``scikit-learn``).

    Raises:
        CannotEditError: the file uses hashes, or it takes the distribution from a URL.
    """
    entries = list(_entries(text))
    if any(_HASH.search(entry.text) for entry in entries):
        raise CannotEditError(
            "the requirements are compiled with hashes; compile them again with the new pin"
        )
    name = canonicalize_name(replaces or wanted.name)
    hits = [entry for entry in entries if entry.name == name]
    if any(entry.requirement and entry.requirement.url for entry in hits):
        raise CannotEditError(f"{name} comes from a URL, which a version cannot replace")
    if not hits:
        return _appended(text, _rendered(wanted))
    return "".join(_rewritten(entry, wanted) if entry.name == name else entry.text for entry in entries)


def _entries(text: str) -> Iterator[_Entry]:
    held: list[str] = []
    for line in text.splitlines(keepends=True):
        held.append(line)
        if line.rstrip("\r\n").endswith("\\") and not line.lstrip().startswith("#"):
            continue
        yield _entry("".join(held))
        held = []
    if held:
        yield _entry("".join(held))


def _entry(text: str) -> _Entry:
    body = _COMMENT.sub("", text.replace("\\\n", " ").replace("\\\r\n", " ").rstrip("\r\n"))
    body = _PER_REQUIREMENT_OPTION.sub("", body).strip()
    if not body or body.startswith("-"):
        return _Entry(text, None)
    try:
        return _Entry(text, Requirement(body))
    except InvalidRequirement:  # a path or a bare URL
        return _Entry(text, None)


def _rewritten(entry: _Entry, wanted: Requirement) -> str:
    """The line with the new specifier; its comment, options, extras, marker and line end stay."""
    old = entry.requirement
    if old is None:
        return entry.text
    line = entry.text.rstrip("\r\n")
    end = entry.text[len(line) :]
    flat = line.replace("\\\r\n", " ").replace("\\\n", " ")
    comment = _COMMENT.search(flat)
    option = _PER_REQUIREMENT_OPTION.search(_COMMENT.sub("", flat))
    renewed = Requirement(str(old))
    same = canonicalize_name(old.name) == canonicalize_name(wanted.name)
    renewed.name = old.name if same else wanted.name
    renewed.specifier = wanted.specifier
    renewed.extras = old.extras | wanted.extras
    indent = flat[: len(flat) - len(flat.lstrip())]
    tail = (option.group() if option else "") + (comment.group() if comment else "")
    return f"{indent}{_rendered(renewed)}{tail}{end}"


def _rendered(requirement: Requirement) -> str:
    """The requirement as people write it: lower bounds first, and the marker behind a semicolon."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}{render_specifier(requirement.specifier)}{marker}"


def render_specifier(specifier: SpecifierSet) -> str:
    """A version specifier in one fixed order: lower bounds, exclusions, upper bounds."""
    order = (">=", ">", "~=", "==", "===", "!=", "<", "<=")
    parts = sorted(specifier, key=lambda one: (order.index(one.operator), one.version))
    return ",".join(str(part) for part in parts)


def _appended(text: str, line: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    joint = "" if not text or text.endswith(("\n", "\r")) else newline
    return f"{text}{joint}{line}{newline}"


def names(items: Sequence[Requirement]) -> frozenset[str]:
    """The canonical names of requirements."""
    return frozenset(canonicalize_name(item.name) for item in items)
