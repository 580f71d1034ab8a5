"""Looks through a source folder: which files belong to it, and what is left out and why."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wpfsm.adapters.host.ignore import LeftOut, rules_of
from wpfsm.fsm.errors import UsageError

MOST_FILES = 20_000
"""A source folder with more is taken for a mistake: each of them would be uploaded."""

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass
class SourceFiles:
    """What was found.

    Attributes:
        root: The folder.
        files: Its regular files, in order; links stand for what they lead to.
        size: Bytes of all of them.
        left_out: What a reader would expect to be there and is not, with the reason: no file at all, or a secret.
            What tools leave behind is not listed.
    """

    root: Path
    files: list[Path] = field(default_factory=list)
    size: int = 0
    left_out: list[str] = field(default_factory=list)


def look_through(root: Path, within: Path | None = None) -> SourceFiles:
    """The files of a folder. Opens none of them, so that nothing in it can make this wait.

    Args:
        root: The folder.
        within: Links to folders are followed as long as they lead to a place inside this one; by default the root.

    Raises:
        UsageError: A folder cannot be read, or there are too many files.
    """
    found = SourceFiles(root)
    try:
        every, secret = rules_of(root)
        for path, name in _walk(root, (within or root).resolve(), found, every, secret):
            if len(found.files) >= MOST_FILES:
                raise UsageError(
                    f"job.source: {root} holds more than {MOST_FILES} files; every one would be uploaded",
                    fix="keep data and checkpoints out of it, or name them in its .wpfsmignore",
                )
            _take(found, path, name)
    except ValueError as error:
        raise UsageError(
            f"job.source: {error}", fix="correct that line; the syntax is .gitignore's"
        ) from error
    except OSError as error:
        place = error.filename or root
        raise UsageError(
            f"job.source: {place}: {error.strerror}",
            fix="give the right to read it, or name it in .wpfsmignore",
        ) from error
    return found


def _walk(
    root: Path, within: Path, found: SourceFiles, every: LeftOut, secret: LeftOut
) -> Iterator[tuple[Path, str]]:
    """Everything that the rules leave in, but for folders, which are walked."""
    waiting = [(root, "", frozenset({root.resolve()}))]
    while waiting:
        folder, prefix, above = waiting.pop()
        inner = []
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            name, path = f"{prefix}{entry.name}", Path(entry.path)
            is_folder = _is_folder(entry)
            if every(f"{name}/" if is_folder else name):
                if secret(f"{name}/" if is_folder else name):
                    found.left_out.append(f"{name} (it may hold secrets; !{name} in .wpfsmignore names it)")
                continue
            if not is_folder:
                yield path, name
                continue
            place = path.resolve() if entry.is_symlink() else path
            if entry.is_symlink() and (place in above or not place.is_relative_to(within)):
                why = "a link into itself" if place in above else f"a link to a folder outside {within}"
                found.left_out.append(f"{name} ({why})")
                continue
            inner.append((path, f"{name}/", above | {place.resolve()}))
        waiting += reversed(inner)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads round in a circle; said where it is taken


def _take(found: SourceFiles, path: Path, name: str) -> None:
    try:
        status = path.stat()
    except OSError as error:
        if not path.is_symlink() or error.errno not in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            raise
        why = "a link to itself" if error.errno == errno.ELOOP else "a link to nothing"
        found.left_out.append(f"{name} ({why})")
        return
    if not stat.S_ISREG(status.st_mode):
        found.left_out.append(f"{name} ({_KINDS.get(stat.S_IFMT(status.st_mode), 'no file')})")
        return
    found.files.append(path)
    found.size += status.st_size
