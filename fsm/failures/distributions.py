"""From the name that a script imports to the distribution that provides it.

The table (``fsm/failures/import_names.json``) holds the names that differ, the ones that training code uses most, and as
``null`` the ones that must never be fetched: names under which the index holds another project (``apex``, ``clip``),
and names that are nearly always a file of the user's own (``utils``, ``config``). Any other name is taken to be its
own distribution, which is true of most of the index.

True is not safe: whoever registers the name of somebody's private module is installed into their jobs, with the
job's role. So a distribution is added unasked only when it is well known: when the table maps a module to it, or when
it is among the most downloaded ones (``popular_distributions.txt``, with its date).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

from packaging.utils import canonicalize_name

LEFT_THE_STANDARD_LIBRARY = frozenset(
    {
        "asynchat",
        "asyncore",
        "audioop",
        "cgi",
        "cgitb",
        "chunk",
        "crypt",
        "imghdr",
        "imp",
        "lib2to3",
        "mailcap",
        "msilib",
        "nis",
        "nntplib",
        "ossaudiodev",
        "pipes",
        "smtpd",
        "sndhdr",
        "spwd",
        "sunau",
        "telnetlib",
        "uu",
        "xdrlib",
    }
)
"""Modules of Python 3.11 that 3.12 and 3.13 lack: a matter of the image, not of requirements."""


@cache
def table() -> Mapping[str, str | None]:
    """Import name to requirement, as maintained in ``import_names.json``."""
    text = files("wpfsm.fsm.failures").joinpath("import_names.json").read_text(encoding="utf-8")
    return cast("Mapping[str, str | None]", json.loads(text))


@cache
def well_known() -> frozenset[str]:
    """Canonical names of the distributions that may be added unasked."""
    text = files("wpfsm.fsm.failures").joinpath("popular_distributions.txt").read_text(encoding="utf-8")
    popular = (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    mapped = (re.split(r"[<>=!~\[ ]", requirement)[0] for requirement in table().values() if requirement)
    return frozenset(canonicalize_name(name) for name in (*popular, *mapped))


def is_known(module: str) -> bool:
    """Whether the table names the module's distribution, as against the name being taken for it."""
    return any(name in table() for name in _prefixes(module))


def requirement_for(module: str) -> str | None:
    """The requirement that provides a module, or None when nothing on an index is known to.

    Args:
        module: dotted import name, such as ``google.cloud.storage`` or ``cv2``.

    Returns:
        A requirement (``opencv-python-headless``, ``setuptools<81``).
    """
    for name in _prefixes(module):
        if name in table():
            return table()[name]
    top = module.partition(".")[0]
    if not top or top in sys.stdlib_module_names or top in LEFT_THE_STANDARD_LIBRARY:
        return None
    return canonicalize_name(top)


def _prefixes(module: str) -> list[str]:
    """The dotted name, then its parents: ``a.b``, ``a``."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


_SUCCESS = re.compile(
    r"^\W*(?:Successfully installed|wpfsm: Using cached packages:) (?P<list>[^\n]+)", re.MULTILINE
)


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
