"""Prices, IAM, STS, the log group's neighbours, and the records that a harness checks."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import admin, authorization, send, training_job
from emulator_stage import Stage
from werkzeug.test import Client

from wpfsm.adapters.emulator.inprocess import Emulator


def products(stage: Stage, *filters: tuple[str, str], kind: str = "TERM_MATCH", **more: Any) -> list[Any]:
    """Return the products that pass the filters, through the paginator."""
    pages = (
        stage.client("pricing")
        .get_paginator("get_products")
        .paginate(
            ServiceCode="AmazonSageMaker",
            Filters=[{"Type": kind, "Field": field, "Value": value} for field, value in filters],
            **more,
        )
    )
    return [json.loads(item) for page in pages for item in page["PriceList"]]


def test_a_price_is_found_as_the_price_list_has_it(stage: Stage) -> None:
    """Region, instance name and component lead to one product with its price in USD an hour."""
    (found,) = products(
        stage, ("regionCode", "us-east-1"), ("instanceName", "ml.g5.2xlarge"), ("component", "Training")
    )
    assert found["product"]["attributes"]["usagetype"] == "USE1-Train:ml.g5.2xlarge"
    (offer,) = found["terms"]["OnDemand"].values()
    (dimension,) = offer["priceDimensions"].values()
    assert (float(dimension["pricePerUnit"]["USD"]), dimension["unit"]) == (1.515, "Hrs")


def test_prices_that_are_not_known_are_not_made_up(stage: Stage) -> None:
    """A type, region or service without a known price gives an empty list."""
    assert products(stage, ("instanceName", "ml.p6-b300.48xlarge")) == []
    assert products(stage, ("regionCode", "ap-south-2")) == []
    assert stage.client("pricing").get_products(ServiceCode="AmazonEC2")["PriceList"] == []


@pytest.mark.parametrize(
    ("kind", "value", "count"),
    [("CONTAINS", "g5.", 20), ("ANY_OF", "ml.m5.large,ml.m5.xlarge", 4), ("EQUALS", "ml.m5.large", 2)],
)
def test_filters(stage: Stage, kind: str, value: str, count: int) -> None:
    """The filter types of the API work, and pages make the whole."""
    assert len(products(stage, ("instanceName", value), kind=kind)) == count
    assert len(products(stage, ("instanceName", value), kind=kind, MaxResults=1)) == count
    everything = products(stage)
    assert len(products(stage, ("instanceName", value), kind="NONE_OF")) == len(everything) - len(
        products(stage, ("instanceName", value), kind="ANY_OF")
    )


def test_every_action_is_allowed(stage: Stage) -> None:
    """SimulatePrincipalPolicy answers allowed for each action."""
    answer = stage.client("iam").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:role/Train", ActionNames=["s3:GetObject", "s3:PutObject"]
    )
    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == {"s3:GetObject": "allowed", "s3:PutObject": "allowed"}


def test_an_operation_asked_of_the_other_service_is_no_failure(stage: Stage) -> None:
    """STS has no SimulatePrincipalPolicy and IAM no GetCallerIdentity: who asks is told so."""
    assert stage.emulator is not None
    for service, operation in (("sts", "SimulatePrincipalPolicy"), ("iam", "GetCallerIdentity")):
        answer = Client(stage.emulator.app).post(
            "/", data={"Action": operation}, headers={"Authorization": authorization(service)}
        )
        assert 400 <= answer.status_code < 500
        assert b"EmulatorFailure" not in answer.data


def test_iam_s_model_is_enforced_too(stage: Stage) -> None:
    """A query request that breaks its model is refused with IAM's own code."""
    ask = {"PolicySourceArn": "arn:aws:iam::123456789012:role/Train"}
    iam = stage.client("iam")
    assert iam.simulate_principal_policy(**ask, ActionNames=["s3:GetObject"], MaxItems=1000)
    for where, request in (
        (r"at 'actionNames\.1\.member'", {"ActionNames": ["x" * 129]}),
        (r"at 'maxItems'", {"ActionNames": ["s3:GetObject"], "MaxItems": 1001}),
    ):
        with pytest.raises(ClientError, match=where) as refused:
            iam.simulate_principal_policy(**ask, **request)
        assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_the_caller_is_known(stage: Stage) -> None:
    """GetCallerIdentity names the account."""
    assert stage.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_faults_reach_iam_and_sts(stage: Stage) -> None:
    """A fault on a query operation is answered in XML."""
    assert stage.emulator is not None
    stage.emulator.inject({"kind": "error", "code": "AccessDenied", "operation": "GetCallerIdentity"})
    with pytest.raises(ClientError) as refused:
        stage.client("sts").get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


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


def test_records_tell_what_happened(stage: Stage) -> None:
    """Jobs, pools with their history, and every call with its outcome are in the records."""
    emulator = stage.show()
    for _ in range(2):
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
    emulator.advance(100)
    status, records = admin(emulator, "GET", "records")
    assert status == 200
    assert [(c["operation"], c["job"], c["outcome"]) for c in records["calls"]] == [
        ("CreateTrainingJob", "j", "ok"),
        ("CreateTrainingJob", "j", "ResourceInUse"),
    ]
    assert [(job["name"], job["pool_status"]) for job in records["jobs"]] == [("j", "Available")]
    assert [event["event"] for event in records["pools"][0]["history"]] == ["launched", "available"]
    assert records["counts"] == {"CreateTrainingJob": 2}
    assert list(emulator.created()) == ["j"]


def test_quotas_are_approved_over_http(stage: Stage) -> None:
    """POST /_wpfsm/quotas sets a quota by name or code, as support would; an unknown one is refused."""
    emulator = stage.show()
    name = "ml.m5.large for training warm pool usage"
    assert admin(emulator, "POST", "quotas", {"quota": name, "value": 0})[0] == 200
    send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
    emulator.advance(100)
    assert emulator.jobs()[0].pool_status is None
    assert admin(emulator, "POST", "quotas", {"quota": "ml.m5", "value": 0})[0] == 400
    assert admin(emulator, "POST", "quotas", {})[0] == 400
    for value in (-1, "1", None, float("nan"), True):
        assert admin(emulator, "POST", "quotas", {"quota": name, "value": value})[0] == 400


def test_an_unknown_admin_path_is_not_found(stage: Stage) -> None:
    """What is not there is a 404 in JSON."""
    assert stage.emulator is not None
    assert admin(stage.emulator, "GET", "nothing")[0] == 404
    assert admin(stage.emulator, "GET", "health")[1]["status"] == "ok"


def test_the_emulator_knows_nothing_of_the_controller() -> None:
    """Importing the whole emulator imports nothing else of the project but how an expression reads a line of a log."""
    import subprocess

    code = (
        "import sys, wpfsm.adapters.emulator.server, wpfsm.adapters.emulator.inprocess,"
        " wpfsm.adapters.emulator.runner.subprocess\n"
        "print(sorted(m for m in sys.modules if m.startswith('wpfsm.') and not m.startswith('wpfsm.adapters')))\n"
        "print([m for m in ('moto', 'boto3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    reading = [
        "",
        ".strategies",
        ".strategies.base",
        ".strategies.expression",
        ".strategies.metrics",
        ".strategies.numbers",
    ]
    assert done.stdout.splitlines()[0] == str([f"wpfsm.fsm{name}" for name in reading])
