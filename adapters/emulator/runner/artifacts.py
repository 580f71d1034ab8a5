"""What a job leaves in S3: the model, other output, checkpoints."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from wpfsm.adapters.emulator.runner.base import JobFailed
from wpfsm.adapters.emulator.runner.channels import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_SETTLED_NANOSECONDS = 1_000_000_000


def upload(
    s3: S3Client, roots: Sequence[Path], *, name: str, to: S3Location, scratch: Path, compress: bool
) -> str | None:
    """Upload directories of the same meaning, one per host, as one archive or as plain objects.

    Args:
        s3: Where to.
        roots: One directory per host; of two files with one name the first host's is kept.
        name: ``model`` or ``output``.
        to: ``<S3OutputPath>/<job>/output``.
        scratch: Where the archive may be made.
        compress: One ``<name>.tar.gz`` (the service's default) or the files under ``<name>/``.

    Returns:
        The S3 URI of the archive or of the prefix; None when every directory is empty.

    Raises:
        JobFailed: S3 refuses.
    """
    files: dict[str, Path] = {}
    for root in roots:
        for path in _files(root):
            files.setdefault(path.relative_to(root).as_posix(), path)
    if not files:
        return None
    try:
        if not compress:
            for relative, path in files.items():
                _put(s3, path, to / name / relative)
            return f"{to / name}/"
        archive = scratch / f"{name}.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for relative, path in files.items():
                tar.add(path, arcname=relative, recursive=False)
        target = to / archive.name
        _put(s3, archive, target)
        archive.unlink()
    except (ClientError, BotoCoreError, S3UploadFailedError) as error:
        raise JobFailed(f"ClientError: Artifact upload failed:{error}") from error
    return str(target)


class CheckpointSync:
    """Copies what changed in a checkpoint directory to S3, as the service does while a job runs."""

    def __init__(self, s3: Callable[[], S3Client], local: Path, remote: S3Location) -> None:
        """Remember what is there already, which came from S3.

        Args:
            s3: Makes the client; called in the thread that syncs.
            local: The directory the job writes to.
            remote: CheckpointConfig's S3Uri.
        """
        self._s3 = s3
        self._local = local
        self._remote = remote
        self._seen: dict[Path, tuple[int, int]] = {}
        for path in _files(local):
            self._remember(path, _version(path))

    def sync(self) -> None:
        """Upload every file that is new or changed since the last time.

        Raises:
            JobFailed: S3 refuses.
        """
        changed = [(path, _version(path)) for path in _files(self._local)]
        changed = [(path, version) for path, version in changed if self._seen.get(path) != version]
        try:
            for path, version in changed:
                _put(self._s3(), path, self._remote / path.relative_to(self._local).as_posix())
                self._remember(path, version)
        except FileNotFoundError:
            return  # the job replaced a file while it was read: the next sync sees the new one
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            raise JobFailed(f"ClientError: Checkpoint upload failed:{error}") from error

    def _remember(self, path: Path, version: tuple[int, int]) -> None:
        """Note a version, unless a write that follows could leave the same time stamp."""
        if time.time_ns() - version[0] > _SETTLED_NANOSECONDS:
            self._seen[path] = version


def _files(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(path for path in root.rglob("*") if path.is_file())


def _version(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _put(s3: S3Client, path: Path, to: S3Location) -> None:
    """Upload a file, in parts when it is large; in this thread, because the caller has one to spare."""
    from boto3.s3.transfer import TransferConfig

    s3.upload_file(str(path), to.bucket, to.key, Config=TransferConfig(use_threads=False))
