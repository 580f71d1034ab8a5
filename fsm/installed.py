"""The version of a distribution that a log shows to be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from wpfsm.fsm.failures.distributions import requirement_for

_SUCCESS = re.compile(r"^\W*Successfully installed (?P<list>[^\n]+)", re.MULTILINE)
_IN_LIST = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*?)-(?P<version>\d[\w.+!]*)(?=\s|$)")
_PLACES = (
    re.compile(r"^ \+ (?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>\d[\w.+!]*)", re.MULTILINE),  # uv
    re.compile(
        r"Requirement already satisfied: (?P<name>[A-Za-z0-9][\w.-]*)[^\n]*? in [^\n]*?\((?P<version>\d[\w.+!]*)\)"
    ),
    re.compile(
        r"\b(?P<name>[A-Za-z][\w.-]*)(?:==| version:? | v| )(?P<version>\d+\.\d[\w.+!]*)(?= as it may crash)"
    ),
    re.compile(r"\b(?P<name>[A-Za-z][\w.-]*) version:? (?P<version>\d+\.\d[\w.+!]*)"),
)


def installed_version(module: str, log: str) -> str | None:
    """The last version of the module's distribution that the log names; None when it names none.

    Args:
        module: import name or distribution name.
        log: the job's log, with the installer's lines if there are any.
    """
    name = requirement_for(module) or module.partition(".")[0]
    wanted = canonicalize_name(re.split(r"[<>=!~ ]", name)[0])
    last = None
    for found, version in _shown(log):
        if canonicalize_name(found) == wanted:
            last = version.rstrip(".")
    return last


def _shown(log: str) -> Iterator[tuple[str, str]]:
    for success in _SUCCESS.finditer(log):
        for match in _IN_LIST.finditer(success["list"]):
            yield match["name"], match["version"]
    for place in _PLACES:
        for match in place.finditer(log):
            yield match["name"], match["version"]
