"""IAM and STS: requests as forms, answers and refusals in XML."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from emulator_requests import authorization
from emulator_stage import Stage
from werkzeug.test import Client


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


def test_faults_reach_iam_and_sts(stage: Stage) -> None:
    """A fault on a query operation is answered in XML."""
    assert stage.emulator is not None
    stage.emulator.inject({"kind": "error", "code": "AccessDenied", "operation": "GetCallerIdentity"})
    with pytest.raises(ClientError) as refused:
        stage.client("sts").get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
