"""The loop's own copies of the user's source, addressed by content, on the local disk.

A snapshot is a folder named by its digest. It is written beside its place and renamed into it, so a crash
leaves either all of it or none. The user's files are read, never written.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from wpfsm.adapters.host.source_files import SourceFiles, look_through
from wpfsm.fsm.errors import StoreError, UsageError
from wpfsm.state.private import private_folder

MOST_BYTES = 200 * 1024 * 1024
"""A source folder beyond this is taken for a mistake (a data set or checkpoints inside it)."""
TEXT_BYTES = 1024 * 1024
FRESH_SECONDS = 60.0
"""A snapshot younger than this may belong to a loop that is being started."""


class LocalSources:
    """Implements :class:`wpfsm.fsm.ports.Sources`.

    Args:
        folder: Where the snapshots are kept.
        base: What relative source folders are relative to: the loop file's folder.
    """

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder = folder
        self._base = base

    def snapshot(self, folder: str) -> str:
        """Copy a folder and return its digest.

        Raises:
            UsageError: There is no such folder, it is beyond 200 MB, or a file in it cannot be read.
        """
        found = self.look_through(folder)
        if found.size > MOST_BYTES:
            raise UsageError(
                f"job.source: {found.root} holds {found.size / 1e6:.0f} MB; every job would upload and load it",
                fix="keep data and checkpoints out of it (.wpfsmignore), and give them as job.inputs",
            )
        with _readable(found.root):
            digest = _digest_of(found.root, found.files)
            self._keep(digest, lambda target: _copy(found.root, found.files, target))
        return digest

    def look_through(self, folder: str) -> SourceFiles:
        """The files that belong to a source folder, and what is left out of it.

        Raises:
            UsageError: There is no such folder, or it cannot be read.
        """
        try:
            source = (self._base / folder).resolve()
        except (OSError, RuntimeError) as error:  # the latter is a link in a circle
            raise UsageError(
                f"job.source: {folder}: {error}", fix="name the folder with the training code"
            ) from error
        if not source.is_dir():
            raise UsageError(
                f"job.source: {source} is not a folder", fix="name the folder with the training code"
            )
        return look_through(source, self._base)

    def digest(self, folder: str) -> str:
        """The digest that :meth:`snapshot` would return, without a copy."""
        found = self.look_through(folder)
        with _readable(found.root):
            return _digest_of(found.root, found.files)

    def size(self, digest: str) -> tuple[int, int]:
        """How many files a snapshot has, and how many bytes."""
        found = look_through(self._folder / digest)
        return len(found.files), found.size

    def path(self, digest: str) -> str:
        """Where the files of a snapshot are."""
        return str(self._folder / digest)

    def files(self, digest: str) -> Mapping[str, str]:
        """Text files of a snapshot, by relative path; binary and large ones are left out."""
        return text_files(self._folder / digest)

    def derive(self, digest: str, files: Mapping[str, str], without: Collection[str] = ()) -> str:
        """A snapshot with some files replaced or added, and others left out; returns its digest."""
        with self.workspace(digest) as folder:
            for name in without:
                Path(folder, name).unlink(missing_ok=True)
            for name, text in files.items():
                target = Path(folder) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            return self.snapshot(folder)

    @contextlib.contextmanager
    def workspace(self, digest: str) -> Iterator[str]:
        """A writable copy of a snapshot, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="wpfsm-source-") as folder:
            shutil.copytree(self._folder / digest, folder, dirs_exist_ok=True)
            yield folder

    def diff(self, old: str, new: str) -> str:
        """Unified diff between two snapshots."""
        before, after = self.files(old), self.files(new)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        return "".join(
            line
            for name in changed
            for line in difflib.unified_diff(
                before.get(name, "").splitlines(keepends=True),
                after.get(name, "").splitlines(keepends=True),
                f"a/{name}" if name in before else "/dev/null",
                f"b/{name}" if name in after else "/dev/null",
            )
        )

    def remove(self, digests: Collection[str], now: float) -> None:
        """Remove snapshots that no loop names any more.

        One that was taken a moment ago stays: a loop that is being started may not have written its row yet.
        """
        for digest in digests:
            target = self._folder / digest
            with contextlib.suppress(OSError):
                if now - target.stat().st_mtime > FRESH_SECONDS:
                    gone = target.rename(target.with_name(f".gone-{digest}"))
                    shutil.rmtree(gone, ignore_errors=True)

    def _keep(self, digest: str, fill: Callable[[Path], None]) -> None:
        target = self._folder / digest
        if target.is_dir():
            with contextlib.suppress(OSError):
                os.utime(target)  # tells `remove` that somebody is about to name it
            return
        try:
            private_folder(self._folder)
            scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        except OSError as error:
            raise _not_kept(self._folder, error) from error
        try:
            fill(scratch)
        except OSError as error:
            shutil.rmtree(scratch, ignore_errors=True)
            if error.errno != errno.ENOSPC:
                raise
            raise _not_kept(self._folder, error) from error
        try:
            scratch.rename(target)
        except OSError:
            # Another controller kept the same content a moment earlier.
            shutil.rmtree(scratch, ignore_errors=True)


def _not_kept(folder: Path, error: OSError) -> StoreError:
    why = "the disk is full" if error.errno == errno.ENOSPC else f"{error.strerror}".lower()
    return StoreError(
        f"the loop's copy of the source cannot be kept in {folder}: {why}",
        fix="make room or give the right to write there, or name another place with --db or $WPFSM_DB",
    )


@contextlib.contextmanager
def _readable(source: Path) -> Iterator[None]:
    """A file that cannot be read is the user's to mend; the message names it."""
    try:
        yield
    except OSError as error:
        if error.filename is None or not Path(error.filename).is_relative_to(source):
            raise
        raise UsageError(
            f"job.source: {error.filename}: {error.strerror}",
            fix="give the right to read it, or name it in .wpfsmignore",
        ) from error


def text_files(root: Path) -> Mapping[str, str]:
    """Text files of a folder, by relative path; binary and large ones are left out."""
    found: dict[str, str] = {}
    for file in look_through(root).files:
        if file.stat().st_size <= TEXT_BYTES:
            with contextlib.suppress(UnicodeDecodeError):
                found[file.relative_to(root).as_posix()] = file.read_text(encoding="utf-8")
    return found


def _digest_of(source: Path, files: list[Path]) -> str:
    return _digest({file.relative_to(source).as_posix(): file.read_bytes() for file in files})


def _digest(contents: Mapping[str, bytes]) -> str:
    """16 hex digits over names and contents; times and modes do not count."""
    whole = hashlib.sha256()
    for name in sorted(contents):
        whole.update(f"{name}\0{hashlib.sha256(contents[name]).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]


def _copy(source: Path, files: list[Path], target: Path) -> None:
    for file in files:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
