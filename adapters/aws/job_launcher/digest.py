"""What decides what is installed, as one digest: the requirements, the Python, the image and what it brings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterator

FORMAT = 1
"""Goes into every key: raised when what is kept in the cache changes its form."""

_REFERENCE = re.compile(r"^(?:-[rc]\s*=?|--(?:requirement|constraint)[\s=])\s*(?P<name>\S.*)$")
_FIND_LINKS = re.compile(r"^(?:-f\s*=?|--find-links[\s=])\s*(?P<name>\S.*)$")
_COMMENT = re.compile(r"(^|\s)#.*$")
_PLACES = frozenset(["PIP_CACHE_DIR", "UV_CACHE_DIR"])


class NotCached(Exception):
    """Packages cannot be kept here: the SDK's own installation is the way."""


def key(requirements: str, image: str, brought: list[str]) -> str:
    """The digest of all that decides what is installed."""
    digest = hashlib.sha256()
    parts = [FORMAT, image, sys.version, sysconfig.get_platform(), sorted(installed(brought)), settings()]
    digest.update(json.dumps(parts).encode())
    for text in texts(requirements):
        digest.update(b"\0" + text)
    return digest.hexdigest()[:16]


def texts(name: str, seen: set[str] | None = None) -> Iterator[bytes]:
    """The bytes of a requirements file and of every file that it names.

    Raises:
        NotCached: It names what may change while the text stays: a folder, an editable install, another address.
    """
    seen = set() if seen is None else seen
    path = os.path.realpath(name)
    if path in seen:
        return
    seen.add(path)
    with open(path, "rb") as file:
        content = file.read()
    yield content
    folder = os.path.dirname(path)
    for raw in content.decode("utf-8", "replace").replace("\\\n", " ").splitlines():
        line = os.path.expandvars(_COMMENT.sub("", raw).strip())
        reference, links = _REFERENCE.match(line), _FIND_LINKS.match(line)
        if reference:
            if "://" in reference.group("name"):
                raise NotCached("the requirements name a file at an address: " + line)
            yield from texts(os.path.join(folder, reference.group("name")), seen)
        elif links:
            yield json.dumps(listing(links.group("name"))).encode()
        elif line.startswith(("-e", "--editable")) or "file:" in line or _is_folder(line):
            raise NotCached("the requirements install what is not on an index: " + line)
        elif os.sep in line and os.path.isfile(line):
            with open(line, "rb") as file:
                yield file.read()


def _is_folder(line: str) -> bool:
    """Whether pip takes a line for a folder; a name without a separator is a project's, whatever lies beside it."""
    path = line.partition("[")[0].strip()
    return (path.startswith(".") or os.sep in path) and os.path.isdir(path)


def listing(folder: str) -> list[tuple[str, int]]:
    """Names and sizes of a local folder's files; nothing of an address."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.stat().st_size) for entry in entries)
    except OSError:
        return []


def settings() -> list[tuple[str, str]]:
    """Pip's and uv's own variables: another index may give other packages."""
    given = sorted(os.environ.items())
    return [item for item in given if item[0].startswith(("PIP_", "UV_")) and item[0] not in _PLACES]


def installed(folders: list[str]) -> Iterator[str]:
    """``name-version`` of each distribution in some folders, read from the names of its metadata."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                stem, suffix = os.path.splitext(name)
                if suffix in (".dist-info", ".egg-info"):
                    yield stem


def image_folders() -> list[str]:
    """The folders in which this Python, the image's, looks for installed packages."""
    paths = sysconfig.get_paths()
    library = [paths["stdlib"], paths["platstdlib"]]
    own = {os.path.realpath(folder) for folder in library}
    own |= {os.path.realpath(os.path.join(folder, "lib-dynload")) for folder in library}
    # A child's Python adds these by itself.
    own |= {
        os.path.realpath(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder
    }
    own |= {os.path.dirname(os.path.dirname(os.path.realpath(__file__))), os.path.realpath(os.getcwd())}
    return [folder for folder in sys.path if os.path.isdir(folder) and os.path.realpath(folder) not in own]
