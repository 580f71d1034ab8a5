"""Input channels: from S3 into the directories that a job reads (File and FastFile mode)."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from wpfsm.adapters.emulator.runner.base import JobFailed, JSONValue

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CHUNK = 1 << 20
NO_FILE_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
"""What the system says of a name that no file of its own can have."""
_FAILED = "ClientError: Data download failed:"


@dataclass(frozen=True, slots=True)
class S3Location:
    """A place in S3."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Location:
        """Read ``s3://bucket/key``.

        Raises:
            JobFailed: It is no S3 URI.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket:
            raise JobFailed(f"{_FAILED}{uri!r} is not an S3 URI")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> S3Location:
        return S3Location(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))


@dataclass(frozen=True, slots=True)
class Channel:
    """One entry of InputDataConfig that a directory can stand for."""

    name: str
    kind: str
    location: S3Location
    sharded: bool

    @classmethod
    def parse(cls, entry: dict[str, JSONValue], default_mode: str) -> Channel:
        """Read one entry of InputDataConfig.

        Raises:
            JobFailed: It asks for what the emulator does not model: Pipe mode, a file system, an augmented manifest.
        """
        name = str(entry["ChannelName"])
        source = cast("dict[str, dict[str, str]]", entry.get("DataSource") or {}).get("S3DataSource")
        mode = entry.get("InputMode") or default_mode
        if source is None or mode == "Pipe" or source["S3DataType"] not in {"S3Prefix", "ManifestFile"}:
            raise JobFailed(
                f"{_FAILED}channel {name}: the emulator models S3Prefix and ManifestFile in File and FastFile mode only"
            )
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        return cls(name, source["S3DataType"], S3Location.parse(source["S3Uri"]), sharded)


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a channel.

    Attributes:
        name: Its path below the channel.
        location: Where it is.
        version: Its ETag, when a listing said it.
    """

    name: str
    location: S3Location
    version: str | None = None


class SmallObjects:
    """Remembers small objects by their ETag: the jobs of a loop read the same drivers and the same code."""

    def __init__(self, largest: int = 1 << 18, capacity: int = 1 << 26) -> None:
        """Bound the memory.

        Args:
            largest: Bytes of the largest object that is remembered.
            capacity: Bytes in all; the least recently used go first.
        """
        self._largest = largest
        self._capacity = capacity
        self._bodies: OrderedDict[tuple[S3Location, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, found: Object) -> bytes | None:
        """Return the content of an object, None when it is not known."""
        with self._lock:
            key = (found.location, found.version or "")
            if key in self._bodies:
                self._bodies.move_to_end(key)
            return self._bodies.get(key)

    def keep(self, found: Object, body: bytes) -> None:
        """Remember an object if it is small and has a version."""
        key = (found.location, found.version or "")
        with self._lock:
            if len(body) > self._largest or found.version is None or key in self._bodies:
                return
            self._bodies[key] = body
            self._bytes += len(body)
            while self._bytes > self._capacity:
                self._bytes -= len(self._bodies.popitem(last=False)[1])


class Downloads:
    """Copies from S3 into directories."""

    def __init__(self) -> None:
        self._small = SmallObjects()

    def channel(self, s3: S3Client, channel: Channel, targets: Sequence[Path]) -> None:
        """Copy a channel into one directory per host.

        Raises:
            JobFailed: Nothing is there, S3 refuses, or the keys cannot be files in one directory.
        """
        for target in targets:
            target.mkdir(parents=True, exist_ok=True)
        with _failing_the_job(channel.location):
            found = sorted(_objects(s3, channel), key=lambda each: each.location.key)
            if not found:
                raise JobFailed(f"{_FAILED}No S3 objects found under S3 URL {str(channel.location)!r}")
            for number, each in enumerate(found):
                hosts = targets[number % len(targets) :][:1] if channel.sharded else targets
                self._fetch(s3, each, [_inside(target, each.name) for target in hosts])

    def prefix(self, s3: S3Client, location: S3Location, target: Path) -> None:
        """Copy whatever is under a prefix into a directory; nothing there is no error.

        Raises:
            JobFailed: S3 refuses, or the keys cannot be files in one directory.
        """
        target.mkdir(parents=True, exist_ok=True)
        with _failing_the_job(location):
            for found in _under_prefix(s3, location):
                self._fetch(s3, found, [_inside(target, found.name)])

    def _fetch(self, s3: S3Client, found: Object, files: Sequence[Path]) -> None:
        """Read an object once and write it to every host."""
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
        body = self._small.get(found)
        if body is not None:
            for file in files:
                file.write_bytes(body)
            return
        first, *others = files
        stream = s3.get_object(Bucket=found.location.bucket, Key=found.location.key)["Body"]
        with first.open("wb") as out:
            for chunk in stream.iter_chunks(_CHUNK):
                out.write(chunk)
        for other in others:
            shutil.copyfile(first, other)
        if first.stat().st_size <= _CHUNK:
            self._small.keep(found, first.read_bytes())


@contextlib.contextmanager
def _failing_the_job(location: S3Location) -> Iterator[None]:
    """Turn what S3 and the file system refuse into the client's error: a full disk is no key's fault and is not."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise JobFailed(f"{_FAILED}{location}: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise JobFailed(
            f"{_FAILED}Failed to download data. Please check your s3 objects and ensure that there is no "
            "object that is both a folder as well as a file."
        ) from error
    except OSError as error:
        if error.errno not in NO_FILE_NAME:
            raise
        raise JobFailed(
            f"{_FAILED}{location}: a key cannot be the name of a file: {error.strerror}"
        ) from error


def _objects(s3: S3Client, channel: Channel) -> Iterator[Object]:
    if channel.kind == "ManifestFile":
        return _in_manifest(s3, channel.location)
    return _under_prefix(s3, channel.location)


def _under_prefix(s3: S3Client, location: S3Location) -> Iterator[Object]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key)
    for page in pages:
        for found in page.get("Contents", []):
            key = found["Key"]
            if not key.endswith("/"):  # the consoles' empty object that stands for a folder
                name = relative_name(key, location.key)
                yield Object(name, S3Location(location.bucket, key), found["ETag"])


def relative_name(key: str, prefix: str) -> str:
    """Return a key's path below the channel: below the prefix where that ends a folder, else below its folder."""
    if key.startswith(folder := prefix.rstrip("/") + "/") or not prefix:
        return key.removeprefix(folder)
    return key[prefix.rfind("/") + 1 :]


def _in_manifest(s3: S3Client, manifest: S3Location) -> Iterator[Object]:
    body = s3.get_object(Bucket=manifest.bucket, Key=manifest.key)["Body"].read()
    try:
        first, *names = json.loads(body)
        prefix = S3Location.parse(first["prefix"])
    except (ValueError, KeyError, TypeError) as error:
        raise JobFailed(
            f"{_FAILED}{manifest} is not a manifest: a list of one prefix and of names"
        ) from error
    for name in names:
        yield Object(name, S3Location(prefix.bucket, prefix.key + name))


def _inside(directory: Path, name: str) -> Path:
    """Return the file for a name, which must not lead out of the directory."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name:
        raise JobFailed(f"{_FAILED}S3 key {name!r} is not the name of a file")
    return directory.joinpath(*parts)
