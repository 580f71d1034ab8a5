"""S3 that outlives the emulator: a layer around an S3 in memory that keeps what is written on disk.

A loop that waits for a person overnight finds its source again, though the emulator ended when it was idle. Kept are
buckets and the latest version of each object with its content type and metadata; not kept are older versions, tags,
access rules and uploads that were not completed.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

from wpfsm.adapters.emulator.api.wire import Signature, read_body
from wpfsm.adapters.emulator.wsgi_transport import ACCOUNT_HEADER, client_session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from mypy_boto3_s3.client import S3Client

logger = logging.getLogger(__name__)

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.(s3[.-].+|localhost)(:\d+)?")
_PART_OF_AN_OBJECT = {"tagging", "acl", "retention", "legal-hold", "restore", "partNumber"}
_PART_OF_A_BUCKET = re.compile(r"[a-zA-Z]+")  # versioning, policy, ...: not X-Amz-Date and the like


@dataclass(frozen=True)
class Bucket:
    """A bucket and where it was made."""

    account: str
    region: str


@dataclass(frozen=True)
class Kept:
    """An object, as much of it as is kept beside its content."""

    bucket: str
    key: str
    content_type: str
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Write:
    """A request that changes something: the bucket, the object or none, and whether it is there afterwards."""

    bucket: str
    key: str
    removes: bool


class KeptS3:
    """A WSGI application around another whose S3 forgets.

    What is on disk is put into the other one when the first S3 request comes.
    """

    def __init__(self, inner: WSGIApplication, directory: Path) -> None:
        """Keep the objects in a directory.

        Args:
            inner: Answers every request.
            directory: Made when something is written.
        """
        self._inner = inner
        self._directory = directory
        self._lock = threading.RLock()
        self._restored = False
        self._clients: dict[Bucket, S3Client] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; of S3, after what it changed is on disk."""
        signature = Signature.of(environ)
        if signature.service != "s3" and "s3%2Faws4_request" not in environ.get("QUERY_STRING", ""):
            return self._inner(environ, start_response)
        self._restore()
        environ, writes = _writes(environ)
        statuses: list[str] = []

        def begin(status: str, headers: list[tuple[str, str]], *rest: object) -> Callable[[bytes], object]:
            statuses.append(status)
            return start_response(status, headers, *rest)  # type: ignore[arg-type]

        answer = self._inner(environ, cast("StartResponse", begin))
        if writes and statuses[-1].startswith("2"):
            where = Bucket(environ.get(ACCOUNT_HEADER, ""), signature.region)
            try:
                self._keep(writes, where)
            except Exception:
                logger.exception("what was written to S3 is in memory only")
        return answer

    def _keep(self, writes: Iterable[Write], where: Bucket) -> None:
        with self._lock:
            self._directory.mkdir(parents=True, exist_ok=True)
            for write in writes:
                if not write.key:
                    self._keep_bucket(write, where)
                elif write.removes:
                    self._drop(write.bucket, write.key)
                else:
                    self._keep_object(write.bucket, write.key, where)

    def _keep_bucket(self, write: Write, where: Bucket) -> None:
        buckets = self._buckets()
        if write.removes:  # S3 removes no bucket that has objects
            buckets.pop(write.bucket, None)
        else:
            buckets.setdefault(write.bucket, where)
        with _replacing(self._directory / "buckets") as file:
            file.write(json.dumps({name: asdict(bucket) for name, bucket in buckets.items()}).encode())

    def _keep_object(self, bucket: str, key: str, where: Bucket) -> None:
        """Read an object back from memory, which is its truth, and write it to disk."""
        client = self._client(where)
        try:
            found = client.get_object(Bucket=bucket, Key=key)
        except client.exceptions.NoSuchKey:
            self._drop(bucket, key)  # somebody was faster
            return
        with _replacing(self._path(bucket, key, "body")) as file:
            for chunk in found["Body"].iter_chunks(1 << 20):
                file.write(chunk)
        kept = Kept(bucket, key, found["ContentType"], found["Metadata"])
        with _replacing(self._path(bucket, key, "json")) as file:
            file.write(json.dumps(asdict(kept)).encode())

    def _drop(self, bucket: str, key: str) -> None:
        self._path(bucket, key, "json").unlink(missing_ok=True)
        self._path(bucket, key, "body").unlink(missing_ok=True)

    def _restore(self) -> None:
        """Put what is on disk into memory, once."""
        with self._lock:
            if self._restored:
                return
            self._restored = True
            buckets = self._buckets()
            for name, bucket in buckets.items():
                self._create(name, bucket)
            for path in self._directory.glob("*.json"):
                try:
                    kept = Kept(**json.loads(path.read_bytes()))
                    self._put(kept, self._client(buckets[kept.bucket]))
                except Exception:
                    logger.exception("%s is not restored", path)

    def _create(self, name: str, bucket: Bucket) -> None:
        client = self._client(bucket)
        if bucket.region == "us-east-1":
            client.create_bucket(Bucket=name)
        else:
            place = cast("dict[str, object]", {"LocationConstraint": bucket.region})
            client.create_bucket(Bucket=name, CreateBucketConfiguration=place)  # type: ignore[arg-type]

    def _put(self, kept: Kept, client: S3Client) -> None:
        with self._path(kept.bucket, kept.key, "body").open("rb") as body:
            client.put_object(
                Bucket=kept.bucket,
                Key=kept.key,
                Body=body,
                ContentType=kept.content_type,
                Metadata=kept.metadata,
            )

    def _buckets(self) -> dict[str, Bucket]:
        path = self._directory / "buckets"
        if not path.exists():
            return {}
        return {name: Bucket(**raw) for name, raw in json.loads(path.read_bytes()).items()}

    def _path(self, bucket: str, key: str, kind: str) -> Path:
        """Return the file of an object; its name has nothing of the key, which may be longer than a name may be."""
        return self._directory / f"{hashlib.sha256(f'{bucket}/{key}'.encode()).hexdigest()}.{kind}"

    def _client(self, where: Bucket) -> S3Client:
        from botocore.config import Config

        if where not in self._clients:

            def inner(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
                owner = {ACCOUNT_HEADER: where.account} if where.account else {}
                return self._inner({**environ, **owner}, start_response)

            session = client_session(inner, where.region, where.account or "000000000000")
            # moto computes another checksum for the copy of an object that was uploaded in parts.
            config = Config(response_checksum_validation="when_required")
            self._clients[where] = session.client("s3", config=config)
        return self._clients[where]


def _writes(environ: WSGIEnvironment) -> tuple[WSGIEnvironment, list[Write]]:
    """Return what a request changes, and the request, whose body may have been read for that."""
    method = environ["REQUEST_METHOD"]
    if method not in {"PUT", "POST", "DELETE"}:
        return environ, []
    bucket, key = _target(environ)
    query = set(parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if method == "POST" and not key and "delete" in query:
        body = read_body(environ)
        environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return environ, [Write(bucket, name, removes=True) for name in _names(body)]
    if key and method == "POST":
        return environ, [Write(bucket, key, removes=False)] if "uploadId" in query else []
    if key:
        partial = query & _PART_OF_AN_OBJECT or (method == "DELETE" and "uploadId" in query)
        return environ, [] if partial else [Write(bucket, key, removes=method == "DELETE")]
    whole = method != "POST" and not any(_PART_OF_A_BUCKET.fullmatch(name) for name in query)
    return environ, [Write(bucket, "", removes=method == "DELETE")] if whole else []


def _target(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return bucket and key of a request, by its host or by its path."""
    path = unquote(urlsplit(environ.get("RAW_URI") or environ["PATH_INFO"]).path).lstrip("/")
    if virtual := _VIRTUAL_HOST.fullmatch(environ.get("HTTP_HOST", "")):
        return virtual["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def _names(document: bytes) -> Iterator[str]:
    """Yield the keys of a DeleteObjects request."""
    for element in ET.fromstring(document).iter():  # noqa: S314 - it comes from this machine
        if element.tag.endswith("Key") and element.text:
            yield element.text


@contextmanager
def _replacing(path: Path) -> Iterator[io.BufferedWriter]:
    """Open a file that takes the place of another when it is whole."""
    draft = path.with_suffix(f"{path.suffix}.{os.getpid()}.new")
    with draft.open("wb") as file:
        yield file
    shutil.move(draft, path)
