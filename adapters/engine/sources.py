"""The loop's snapshots of the user's source in S3, with a copy on the machine that works with them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from wpfsm.adapters.host.sources import LocalSources
from wpfsm.fsm.errors import StoreError
from wpfsm.state.shared.table import Blobs, Table


class SharedSources(LocalSources):
    """Implements :class:`wpfsm.fsm.ports.Sources`.

    A folder of the user's is read where it is; elsewhere its name stands for what it was when it was read last.

    Args:
        folder: Where the copies are.
        base: What relative source folders are relative to.
        table: Where the names of the loop's folders are kept.
        blobs: Where the snapshots are.
        loop_id: The loop.
    """

    def __init__(self, folder: Path, base: Path, table: Table, blobs: Blobs, loop_id: str) -> None:
        super().__init__(folder, base)
        self._table = table
        self._blobs = blobs
        self._loop_id = loop_id

    def snapshot(self, folder: str) -> str:
        """Copy a folder into S3 and return its digest."""
        sk = f"SOURCE#{folder}"
        if not Path(folder).is_absolute() and not (self._base / folder).is_dir():
            kept = self._table.get(self._loop_id, sk)
            if kept is not None:
                return str(kept["digest"])
        digest = super().snapshot(folder)
        self._push(digest)
        if not Path(folder).is_absolute():
            self._table.put({"pk": self._loop_id, "sk": sk, "digest": digest})
        return digest

    def path(self, digest: str) -> str:
        """Where the files of a snapshot are, on this machine."""
        self._pull(digest)
        return super().path(digest)

    def size(self, digest: str) -> tuple[int, int]:
        """How many files a snapshot has, and how many bytes."""
        self._pull(digest)
        return super().size(digest)

    def files(self, digest: str) -> Mapping[str, str]:
        """Text files of a snapshot."""
        self._pull(digest)
        return super().files(digest)

    def derive(self, digest: str, files: Mapping[str, str], without: Collection[str] = ()) -> str:
        """A snapshot with some files replaced and others left out."""
        self._pull(digest)
        return super().derive(digest, files, without)

    @contextmanager
    def workspace(self, digest: str) -> Iterator[str]:
        """A writable copy of a snapshot."""
        self._pull(digest)
        with super().workspace(digest) as folder:
            yield folder

    def _push(self, digest: str) -> None:
        if self._blobs.has(_name(digest)):
            return
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(self._folder / digest, arcname=".")
        self._blobs.put(_name(digest), packed.getvalue())

    def _pull(self, digest: str) -> None:
        if (self._folder / digest).is_dir():
            return
        packed = self._blobs.get(_name(digest))
        if packed is None:
            raise StoreError(f"the snapshot {digest} is gone from the bucket", fix="start the loop again")

        def fill(target: Path) -> None:
            with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
                archive.extractall(target, filter="data")

        self._keep(digest, fill)


def _name(digest: str) -> str:
    return f"sources/{digest}.tar.gz"
