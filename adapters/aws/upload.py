"""Uploads a patched source beside the one that a request was rendered for.

What ``ModelTrainer`` makes of a loop file depends on the names of the entry and of the requirements file,
never on what is in them: the code is one S3 prefix of the request. A patched source of the same loop
therefore needs an upload and a new prefix, and not the SDK, which takes seconds to load.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wpfsm.adapters.aws.errors import translated
from wpfsm.adapters.aws.launcher import launcher_files
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import JSON, as_mapping

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CODE_CHANNEL = "code"
"""The channel in which the SDK's driver expects the source (``SM_CODE`` in ``sagemaker.train.constants``)."""


class UploadCount:
    """Says how far an upload is, now and then: most are over before there is anything to say.

    Args:
        total: Files of the source; those beyond are the driver that the SDK sends with it.
        say: Takes a sentence.
        clock: Seconds that only grow.
    """

    SECONDS = 3.0
    """Between two sentences."""

    def __init__(
        self, total: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total, self._say, self._clock = total, say, clock
        self._done, self._said = 0, clock()

    def one_more(self) -> None:
        """A file has arrived."""
        self._done += 1
        if self._clock() - self._said >= self.SECONDS:
            self._said = self._clock()
            self._say(
                f"uploading the source to S3: {self._done} of {self._total} files have arrived"
                if self._done <= self._total
                else f"uploading the SDK's driver to S3, behind the source: {self._done - self._total} file(s) have arrived"
            )


def upload_beside(
    s3: S3Client, spec: RenderSpec, like: Request, say: Callable[[str], None] = lambda _: None
) -> Request:
    """Upload the source of ``spec``; the request is ``like`` but for the prefix of its code.

    Args:
        s3: S3 of the account that runs the jobs.
        spec: What is rendered.
        like: What the SDK made of another source with the same entry and requirements file.
        say: Told how far a long upload is.

    Raises:
        Refused: ``like`` has no channel with code.
        ServiceError: The upload failed.
    """
    channels = like.get("InputDataConfig")
    if not isinstance(channels, list) or not any(map(_is_code, channels)):
        raise Refused("the request has no channel with code", fix="start a new loop: wpfsm start FILE")
    # Not below the first prefix: S3Prefix takes every key that begins with it.
    old = next(_uri(channel) for channel in channels if _is_code(channel))
    new = f"{old.rpartition('/')[0]}/{spec.name}/{CODE_CHANNEL}"
    place = urlsplit(new)
    count = UploadCount(count_files(Path(spec.source_path)), say)
    for name, body in _bodies(spec):
        key = f"{place.path.lstrip('/')}/{name}"
        with translated("PutObject"):
            if place.netloc.endswith(spec.account):
                # The default bucket's name can be guessed: whoever made it first must not get the source.
                s3.put_object(Bucket=place.netloc, Key=key, Body=body, ExpectedBucketOwner=spec.account)
            else:
                s3.put_object(Bucket=place.netloc, Key=key, Body=body)
        count.one_more()
    return {**like, "InputDataConfig": [_moved(c, new) if _is_code(c) else c for c in channels]}


def _bodies(spec: RenderSpec) -> Iterator[tuple[str, bytes]]:
    """What is uploaded, by name: the source, and the launcher where it stands in for the entry script."""
    for name, file in _files(Path(spec.source_path)):
        yield name, file.read_bytes()
    if spec.keep_packages:
        yield from launcher_files()


def count_files(root: Path) -> int:
    """Files of a source."""
    return sum(1 for _ in _files(root))


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """All of a snapshot: what is not to be uploaded was left out of it when it was taken."""
    for file in sorted(root.rglob("*")):
        if file.is_file():
            yield file.relative_to(root).as_posix(), file


def _is_code(channel: JSON) -> bool:
    return isinstance(channel, Mapping) and channel.get("ChannelName") == CODE_CHANNEL


def _source(channel: JSON) -> Mapping[str, JSON]:
    return as_mapping(as_mapping(as_mapping(channel).get("DataSource")).get("S3DataSource"))


def _uri(channel: JSON) -> str:
    return str(_source(channel).get("S3Uri", ""))


def _moved(channel: JSON, uri: str) -> JSON:
    """The channel with its data at another prefix."""
    assert isinstance(channel, Mapping)
    return {**channel, "DataSource": {"S3DataSource": {**_source(channel), "S3Uri": uri}}}
