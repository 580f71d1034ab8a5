"""S3 that outlives the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wpfsm.adapters.emulator.s3.kept import KeptS3
from wpfsm.adapters.emulator.s3.moto import Moto
from wpfsm.adapters.emulator.wsgi_transport import answer, client_session

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

MOTO = Moto()
keys = st.text("ab/ +%é?&=#", min_size=1, max_size=5).filter(lambda key: not key.startswith("/"))


def forget() -> None:
    """Let moto forget everything, as its end would."""
    answer(MOTO, AWSPreparedRequest("POST", "http://127.0.0.1/moto-api/reset", {}, b"", False))


def client(app: KeptS3, region: str = "us-east-1", **options: Any) -> S3Client:
    return client_session(app, region, "123456789012").client("s3", **options)


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Callable[[], S3Client]]:
    """Return a client of an S3 that has forgotten what is not on disk."""

    def restart() -> S3Client:
        forget()
        return client(KeptS3(MOTO, tmp_path / "s3"))

    yield restart
    forget()


def content(s3: S3Client, bucket: str = "bucket") -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found}


def test_an_object_is_there_after_the_end(again: Callable[[], S3Client]) -> None:
    """Content, type and metadata are kept."""
    s3 = again()
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a/b", Body=b"\x00x", ContentType="text/csv", Metadata={"who": "me"})
    found = again().get_object(Bucket="bucket", Key="a/b")

    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (
        b"\x00x",
        "text/csv",
        {"who": "me"},
    )


def test_what_was_removed_stays_removed(again: Callable[[], S3Client]) -> None:
    """One object, several at once, and a bucket."""
    s3 = again()
    for bucket in ("bucket", "gone"):
        s3.create_bucket(Bucket=bucket)
    for key in ("one", "two", "three & four", "kept"):
        s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    s3.delete_object(Bucket="bucket", Key="one")
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "two"}, {"Key": "three & four"}]})
    s3.delete_bucket(Bucket="gone")
    s3 = again()

    assert content(s3) == {"kept": b"x"}
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["bucket"]


def test_large_and_copied_objects_are_kept(again: Callable[[], S3Client], tmp_path: Path) -> None:
    """An upload in parts is kept when it is completed, and not before."""
    s3 = again()
    s3.create_bucket(Bucket="bucket")
    body = b"0123456789" * 1_000_000
    (tmp_path / "large").write_bytes(body)
    s3.upload_file(str(tmp_path / "large"), "bucket", "large")
    s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "large"})
    begun = s3.create_multipart_upload(Bucket="bucket", Key="begun")
    s3.upload_part(Bucket="bucket", Key="begun", PartNumber=1, UploadId=begun["UploadId"], Body=b"x")

    assert content(again()) == {"large": body, "copy": body}


def test_what_s3_refuses_is_not_kept(again: Callable[[], S3Client]) -> None:
    """A write that failed leaves nothing behind."""
    s3 = again()
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="none", Key="a", Body=b"x")

    assert again().list_buckets()["Buckets"] == []


def test_a_bucket_is_made_again_where_it_was(again: Callable[[], S3Client], tmp_path: Path) -> None:
    """A bucket of another region keeps its region."""
    forget()
    s3 = client(KeptS3(MOTO, tmp_path / "s3"), "eu-west-1")
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    assert again().get_bucket_location(Bucket="far")["LocationConstraint"] == "eu-west-1"


def test_reading_an_empty_s3_writes_nothing(again: Callable[[], S3Client], tmp_path: Path) -> None:
    """No directory is made before there is something to keep."""
    again().list_buckets()

    assert not (tmp_path / "s3").exists()


def test_other_services_pass(again: Callable[[], S3Client], tmp_path: Path) -> None:
    """What is not S3 is answered as if the layer were not there."""
    app = KeptS3(MOTO, tmp_path / "s3")
    session: boto3.Session = client_session(app, "us-east-1", "123456789012")

    assert session.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=5, deadline=None)
@given(
    steps=st.lists(st.tuples(keys, st.one_of(st.none(), st.binary(max_size=5))), max_size=6),
    path_style=st.booleans(),
)
def test_the_disk_has_what_the_memory_had(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bytes | None]], *, path_style: bool
) -> None:
    """After any sequence of writes and deletions, whatever the keys, a restart changes nothing."""
    forget()
    directory = tmp_path_factory.mktemp("s3")
    options = {"endpoint_url": "http://127.0.0.1:4580"} if path_style else {}
    s3 = client(KeptS3(MOTO, directory), **options)
    s3.create_bucket(Bucket="bucket")
    for key, body in steps:
        if body is None:
            s3.delete_object(Bucket="bucket", Key=key)
        else:
            s3.put_object(Bucket="bucket", Key=key, Body=body)
    before = content(s3)
    forget()

    assert content(client(KeptS3(MOTO, directory))) == before
