"""The loop's own copies of the user's source, addressed by content, on the local disk.

A snapshot is a folder named by its digest. It is written beside its place and renamed into it, so a crash
leaves either all of it or none. The user's files are read, never written.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from wpfsm.fsm.errors import UsageError

IGNORED = frozenset({
    ".git", ".hg", ".venv", "venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".ipynb_checkpoints", ".DS_Store", "node_modules",
})  # fmt: skip
MOST_BYTES = 200 * 1024 * 1024
"""A source folder beyond this is taken for a mistake (a data set or checkpoints inside it)."""
TEXT_BYTES = 1024 * 1024


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
            UsageError: There is no such folder, or it is beyond 200 MB.
        """
        source = (self._base / folder).resolve()
        if not source.is_dir():
            raise UsageError(
                f"job.source: {source} is not a folder", fix="name the folder with the training code"
            )
        files = list(_files(source))
        size = sum(file.stat().st_size for file in files)
        if size > MOST_BYTES:
            raise UsageError(
                f"job.source: {source} holds {size / 1e6:.0f} MB; every job would upload and load it",
                fix="keep data and checkpoints out of it, and give them as job.inputs",
            )
        digest = _digest_of(source, files)
        self._keep(digest, lambda target: _copy(source, files, target))
        return digest

    def digest(self, folder: str) -> str:
        """The digest that :meth:`snapshot` would return, without a copy."""
        source = (self._base / folder).resolve()
        return _digest_of(source, list(_files(source)))

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

    def _keep(self, digest: str, fill: object) -> None:
        target = self._folder / digest
        if target.is_dir():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        fill(scratch)  # type: ignore[operator]
        try:
            scratch.rename(target)
        except OSError:
            # Another controller kept the same content a moment earlier.
            shutil.rmtree(scratch, ignore_errors=True)


def text_files(root: Path) -> Mapping[str, str]:
    """Text files of a folder, by relative path; binary and large ones are left out."""
    found: dict[str, str] = {}
    for file in _files(root):
        if file.stat().st_size <= TEXT_BYTES:
            with contextlib.suppress(UnicodeDecodeError):
                found[file.relative_to(root).as_posix()] = file.read_text(encoding="utf-8")
    return found


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in IGNORED)
        for name in sorted(files):
            if name not in IGNORED and not name.endswith(".pyc"):
                yield Path(folder) / name


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
