"""What is not emulated here is answered by the fallback, and its failures are refusals."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_stage import Stage

from wpfsm.adapters.emulator.inprocess import Emulator


def test_other_log_groups_are_the_fallback_s(stage: Stage) -> None:
    """A user's own log group works beside the one of training jobs."""
    logs = stage.client("logs")
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    assert [s["logStreamName"] for s in logs.describe_log_streams(logGroupName="/mine")["logStreams"]] == [
        "s"
    ]


def test_the_rest_of_sagemaker_is_the_fallback_s(stage: Stage) -> None:
    """Operations that the fallback knows are answered by it."""
    assert stage.client("sagemaker").list_models()["Models"] == []


def test_an_object_of_many_parts_goes_through(stage: Stage) -> None:
    """Bodies of any kind reach the fallback in one piece: checksummed, empty, and in parts."""
    s3 = stage.client("s3")
    s3.create_bucket(Bucket="bucket")
    for body in (b"", b"x" * 100_000):
        s3.put_object(Bucket="bucket", Key="k", Body=body)
        assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == body
    upload = s3.create_multipart_upload(Bucket="bucket", Key="big")["UploadId"]
    parts = [b"a" * (5 << 20), b"b"]
    tags = [
        s3.upload_part(Bucket="bucket", Key="big", UploadId=upload, PartNumber=i, Body=part)["ETag"]
        for i, part in enumerate(parts, start=1)
    ]
    listed = [{"PartNumber": i, "ETag": tag} for i, tag in enumerate(tags, start=1)]
    s3.complete_multipart_upload(
        Bucket="bucket", Key="big", UploadId=upload, MultipartUpload={"Parts": listed}
    )
    assert s3.get_object(Bucket="bucket", Key="big")["Body"].read() == b"".join(parts)


def broken(environ: Any, start_response: Any) -> Any:
    raise RuntimeError("on fire")


def five_hundred(environ: Any, start_response: Any) -> Any:
    start_response("500 INTERNAL SERVER ERROR", [("Content-Type", "text/html")])
    return [b"<h1>oops</h1>"]


@pytest.mark.parametrize("fallback", [broken, five_hundred])
def test_a_fallback_that_fails_is_a_refusal(fallback: Any) -> None:
    """Whatever the fallback does, the client gets a 400 in its own protocol and does not try again."""
    with Emulator(fallback=fallback) as emulator:
        session = emulator.session()
        for call in (
            lambda: session.client("s3").list_buckets(),
            lambda: session.client("logs").describe_log_groups(),
            lambda: session.client("iam").list_roles(),
        ):
            with pytest.raises(ClientError) as refused:
                call()
            assert refused.value.response["Error"]["Code"] == "EmulatorFallbackFailure"
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_fallback_keeps_accounts_apart_too(stage: Stage) -> None:
    """The fallback is told which account asks."""
    stage.show()
    for account in ("123456789012", "210987654321"):
        stage.client("iam", "us-east-1", account).create_role(RoleName="Train", AssumeRolePolicyDocument="{}")
    role = stage.client("iam", "us-east-1", "210987654321").get_role(RoleName="Train")["Role"]
    assert role["Arn"] == "arn:aws:iam::210987654321:role/Train"
