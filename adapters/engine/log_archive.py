"""Each job's log in S3, gathered on the machine that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.fsm.ports import LogLine
from wpfsm.state.shared.table import Blobs


class SharedArchive(FileArchive):
    """Implements :class:`wpfsm.fsm.ports.LogArchive`.

    Args:
        folder: Where the logs are gathered.
        blobs: Where they are kept.
    """

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        super().__init__(folder)
        self._blobs = blobs
        self._ours: set[str] = set()

    def append(self, job_name: str, lines: Sequence[LogLine]) -> None:
        """Add lines; they are kept by :meth:`save`."""
        self._ours.add(job_name)
        super().append(job_name, lines)

    def restart(self, job_name: str) -> None:
        """Gather the log anew; what was kept stays until it is saved again."""
        self._ours.add(job_name)
        super().restart(job_name)

    def remove(self, job_name: str) -> None:
        """Forget the log for good, here and where it is kept."""
        Path(super().path(job_name)).unlink(missing_ok=True)
        self._blobs.delete(_name(job_name))

    def save(self, job_name: str) -> None:
        """Keep what was gathered."""
        file = Path(super().path(job_name))
        if job_name in self._ours and file.exists():
            self._blobs.put(_name(job_name), file.read_bytes())

    def tail(self, job_name: str, count: int) -> Sequence[str]:
        """The last lines."""
        self._fetch(job_name)
        return super().tail(job_name, count)

    def path(self, job_name: str) -> str:
        """A copy on this machine, as new as what was kept."""
        self._fetch(job_name)
        return super().path(job_name)

    def _fetch(self, job_name: str) -> None:
        """What this process did not gather itself may be older here than there."""
        if job_name in self._ours:
            return
        file = Path(super().path(job_name))
        if (content := self._blobs.get(_name(job_name))) is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _name(job_name: str) -> str:
    return f"logs/{job_name}.log"
