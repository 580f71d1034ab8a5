"""Input channels: which object becomes which file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runner_bench import BUCKET

from wpfsm.adapters.emulator.runner.base import JobFailed, JSONValue
from wpfsm.adapters.emulator.runner.channels import (
    Channel,
    Downloads,
    Object,
    S3Location,
    SmallObjects,
    relative_name,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def make(uri: str, *, kind: str = "S3Prefix", sharded: bool = False) -> Channel:
    return Channel("train", kind, S3Location.parse(uri), sharded)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def put(s3: S3Client, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("data/train/", {"a.csv", "sub/b.csv"}),
        ("data/train", {"a.csv", "sub/b.csv", "train.txt"}),
        ("data/train/a.csv", {"a.csv"}),
        ("data/tr", {"train/a.csv", "train/sub/b.csv", "train.txt"}),
        ("", {"data/train/a.csv", "data/train/sub/b.csv", "data/train.txt"}),
    ],
)
def test_a_prefix_becomes_the_files_below_it(
    s3: S3Client, tmp_path: Path, prefix: str, expected: set[str]
) -> None:
    """A prefix may be a folder, one object or the beginning of names; folder markers are no files."""
    put(s3, "data/train/a.csv", "data/train/sub/b.csv", "data/train.txt", "data/train/empty/")
    Downloads().channel(s3, make(f"s3://{BUCKET}/{prefix}"), [tmp_path])

    assert set(tree(tmp_path)) == expected


@given(folder=st.text("abc/", max_size=8), name=st.text("abc/.", min_size=1, max_size=8))
def test_the_name_of_a_file_is_the_end_of_its_key(folder: str, name: str) -> None:
    """Whatever the prefix, a file keeps the end of its key as its name, and loses no object's identity."""
    key = folder + name
    relative = relative_name(key, folder)

    assert key.endswith(relative)
    assert key.removesuffix(relative) in (
        "",
        folder,
        f"{folder.rstrip('/')}/",
        folder[: folder.rfind("/") + 1],
    )


def test_every_host_gets_everything_or_its_share(s3: S3Client, tmp_path: Path) -> None:
    """FullyReplicated copies, ShardedByS3Key deals the objects out."""
    put(s3, *(f"d/{number}" for number in range(5)))
    hosts = [tmp_path / "one", tmp_path / "two"]
    Downloads().channel(s3, make(f"s3://{BUCKET}/d"), hosts)
    assert tree(hosts[0]) == tree(hosts[1]) == {str(n): f"d/{n}".encode() for n in range(5)}

    shards = [tmp_path / "three", tmp_path / "four"]
    Downloads().channel(s3, make(f"s3://{BUCKET}/d", sharded=True), shards)
    assert [sorted(tree(shard)) for shard in shards] == [["0", "2", "4"], ["1", "3"]]


def test_a_manifest_names_its_objects(s3: S3Client, tmp_path: Path) -> None:
    """A manifest is a prefix and the names below it."""
    put(s3, "d/a", "d/b/c", "d/not-this")
    body = json.dumps([{"prefix": f"s3://{BUCKET}/d/"}, "a", "b/c"])
    s3.put_object(Bucket=BUCKET, Key="manifest", Body=body.encode())
    Downloads().channel(s3, make(f"s3://{BUCKET}/manifest", kind="ManifestFile"), [tmp_path])

    assert set(tree(tmp_path)) == {"a", "b/c"}


@pytest.mark.parametrize(
    ("keys", "uri", "reason"),
    [
        ((), f"s3://{BUCKET}/nothing", "No S3 objects found under S3 URL"),
        ((), "s3://no-such-bucket/x", "NoSuchBucket"),
        (("d/a", "d/a/b"), f"s3://{BUCKET}/d/", "both a folder as well as a file"),
        (("d/../../escaped",), f"s3://{BUCKET}/d/", "not the name of a file"),
        (("d/" + "x" * 300,), f"s3://{BUCKET}/d/", "cannot be the name of a file"),
    ],
)
def test_what_cannot_be_downloaded_fails_the_job(
    s3: S3Client, tmp_path: Path, keys: tuple[str, ...], uri: str, reason: str
) -> None:
    """The reason is a ClientError, as the service's is, and nothing is written outside the channel."""
    put(s3, *keys)
    with pytest.raises(JobFailed, match=f"^ClientError: Data download failed:.*{reason}"):
        Downloads().channel(s3, make(uri), [tmp_path / "deep" / "channel"])

    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"InputMode": "Pipe"},
        {"DataSource": {"FileSystemDataSource": {}}},
        {"DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/k"}}},
    ],
)
def test_what_is_not_modelled_is_said(change: dict[str, JSONValue]) -> None:
    """Pipe mode, file systems and augmented manifests fail the job with a reason that says so."""
    entry: dict[str, JSONValue] = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}},
    }
    with pytest.raises(JobFailed, match="models S3Prefix and ManifestFile in File and FastFile mode only"):
        Channel.parse(entry | change, "File")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(keys=st.sets(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}", fullmatch=True), min_size=1, max_size=6))
def test_every_object_arrives_with_its_content_or_the_job_fails(
    s3: S3Client, tmp_path_factory: pytest.TempPathFactory, keys: set[str]
) -> None:
    """Either each object below the prefix is a file with its bytes, or two keys cannot both be files."""
    prefix = tmp_path_factory.mktemp("p").name
    put(s3, *(f"{prefix}/{key}" for key in keys))
    target = tmp_path_factory.mktemp("channel")
    clash = any(other.startswith(f"{key}/") for key in keys for other in keys)
    try:
        Downloads().channel(s3, make(f"s3://{BUCKET}/{prefix}/"), [target])
    except JobFailed:
        assert clash
    else:
        assert tree(target) == {key: f"{prefix}/{key}".encode() for key in keys}


def test_an_object_that_was_replaced_is_read_again(s3: S3Client, tmp_path: Path) -> None:
    """What is remembered is a version of an object, never its name."""
    downloads = Downloads()
    for body in (b"old", b"new", b"new"):
        s3.put_object(Bucket=BUCKET, Key="d/a", Body=body)
        downloads.channel(s3, make(f"s3://{BUCKET}/d"), [tmp_path])
        assert tree(tmp_path) == {"a": body}


@given(sizes=st.lists(st.integers(0, 12), max_size=30))
def test_what_is_remembered_is_bounded(sizes: list[int]) -> None:
    """Large objects are not remembered, and the least recently used go first."""
    small = SmallObjects(largest=10, capacity=30)
    found = [Object(str(n), S3Location("b", str(n)), "v") for n in range(len(sizes))]
    for each, size in zip(found, sizes, strict=True):
        small.keep(each, b"x" * size)
    known = [body for each in found if (body := small.get(each)) is not None]

    assert sum(map(len, known)) <= 30
    assert all(len(body) <= 10 for body in known)
    if sizes and sizes[-1] <= 10:
        assert small.get(found[-1]) == b"x" * sizes[-1]
