"""A patched source goes up beside the one that a request was rendered for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wpfsm.adapters.aws.launcher import ENTRY
from wpfsm.adapters.aws.upload import UploadCount, upload_beside
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.fsm.errors import Refused, ServiceError
from wpfsm.fsm.ports import RenderSpec

ACCOUNT = "123456789012"
BUCKET = f"sagemaker-us-east-1-{ACCOUNT}"


@pytest.fixture
def s3() -> Iterator[Any]:
    """S3 with the default bucket."""
    with Emulator() as emulator:
        client = emulator.session().client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client
        for key in keys(client):
            client.delete_object(Bucket=BUCKET, Key=key)
        client.delete_bucket(Bucket=BUCKET)  # the objects of one process are those of all its emulators


def spec(source: Path, **more: Any) -> RenderSpec:
    return RenderSpec("l-1-002", "us-east-1", ACCOUNT, BUCKET, str(source), {}, "train.py", "", **more)


def like(*channels: str, bucket: str = BUCKET) -> dict[str, Any]:
    """A request as it was rendered for the first source."""
    return {
        "RoleArn": "role",
        "InputDataConfig": [
            {
                "ChannelName": name,
                "DataSource": {"S3DataSource": {"S3Uri": f"s3://{bucket}/jobs/l-1-001/{name}", "S3DataType": "S3Prefix"}},
            }
            for name in channels
        ],
    }  # fmt: skip


def keys(s3: Any) -> list[str]:
    return sorted(each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two files, one in a folder."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "train.py").write_text("import lib.a")
    (tmp_path / "lib" / "a.py").write_text("A = 1")
    return tmp_path


def test_only_the_code_moves(s3: Any, source: Path) -> None:
    """Every file is up at the new prefix, which is none below the old; the other channel is as it was."""
    first = like("data", "code")
    request = upload_beside(s3, spec(source), first)
    data, code = request["InputDataConfig"]  # type: ignore[misc]
    assert data == first["InputDataConfig"][0]
    uri = code["DataSource"]["S3DataSource"]["S3Uri"]  # type: ignore[index,call-overload]
    assert code["DataSource"]["S3DataSource"]["S3DataType"] == "S3Prefix"  # type: ignore[index,call-overload]
    prefix = str(uri).removeprefix(f"s3://{BUCKET}/")
    assert keys(s3) == [f"{prefix}/lib/a.py", f"{prefix}/train.py"]
    assert not prefix.startswith("jobs/l-1-001/code"), "S3Prefix takes every key that begins with it"
    assert request["RoleArn"] == "role"


def test_the_launcher_goes_along_where_it_stands_in(s3: Any, source: Path) -> None:
    """Its entry script is what the request starts."""
    upload_beside(s3, spec(source, keep_packages=True), like("code"))
    assert any(key.endswith(f"/{ENTRY}") for key in keys(s3))


def test_a_request_without_code_is_refused_before_anything_is_sent(s3: Any, source: Path) -> None:
    """Where nothing says where code goes, a patched source cannot."""
    with pytest.raises(Refused, match="no channel with code"):
        upload_beside(s3, spec(source), like("data"))
    assert keys(s3) == []


def test_a_bucket_that_is_not_there_is_the_services_error(s3: Any, source: Path) -> None:
    """The controller knows it from a source that was uploaded."""
    with pytest.raises(ServiceError):
        upload_beside(s3, spec(source), like("code", bucket=f"nowhere-{ACCOUNT}"))
    assert keys(s3) == []


def test_a_long_upload_says_how_much_is_left() -> None:
    """Now and then, and nothing where it is over in a moment."""
    said: list[str] = []
    now = iter([0.0, 1.0, 3.5, 3.5, 4.0, 9.0, 9.0])
    count = UploadCount(3, said.append, lambda: next(now))
    for _ in range(4):
        count.one_more()
    assert said == [
        "uploading the source to S3: 2 of 3 files have arrived",
        "uploading the SDK's driver to S3, behind the source: 1 file(s) have arrived",
    ]
