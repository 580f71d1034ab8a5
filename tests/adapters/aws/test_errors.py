"""Botocore's errors cross a port by what the caller should do about them."""

from __future__ import annotations

import boto3
import botocore.parsers
import pytest
from aws_wire import Error, Wire
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from wpfsm.adapters.aws.errors import translated
from wpfsm.fsm.errors import Rejected, ServiceDenied, ServiceError, Unknown

_throttled = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) - {"LimitExceededException"}
_transient = set(TransientRetryableChecker._TRANSIENT_ERROR_CODES)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Error("ValidationException"), Rejected),
        (Error("ResourceLimitExceeded"), Rejected),
        (Error("ThrottlingException"), Unknown),
        (Error("InternalFailure", status=500), Unknown),
        (Error("NeverHeardOf", status=502), Unknown),
        (Error("ExpiredTokenException"), ServiceDenied),
        (Error("AccessDeniedException"), ServiceDenied),
    ],
)
def test_answers_of_the_service(error: Error, kind: type[ServiceError]) -> None:
    """Each code is told apart: refused, unknown or denied, with code, operation and message kept."""
    client = Wire(lambda *_: error).client("sagemaker")

    with pytest.raises(ServiceError) as raised, translated("StopTrainingJob"):
        client.stop_training_job(TrainingJobName="a")

    assert type(raised.value) is kind
    assert (raised.value.code, raised.value.operation, raised.value.message) == (
        error.code,
        "StopTrainingJob",
        "no",
    )
    assert isinstance(raised.value.__cause__, ClientError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ReadTimeoutError(endpoint_url="https://x"), Unknown),
        (ConnectTimeoutError(endpoint_url="https://x"), Unknown),
        (NoCredentialsError(), ServiceDenied),
    ],
)
def test_no_answer_at_all(error: Exception, kind: type[ServiceError]) -> None:
    """A lost answer leaves the outcome unknown; missing credentials do not."""
    with pytest.raises(ServiceError) as raised, translated("CreateTrainingJob"):
        raise error

    assert type(raised.value) is kind


def test_request_that_is_not_sent_is_rejected() -> None:
    """A request that botocore's own validation refuses has certainly not happened."""
    wire = Wire(lambda *_: {})

    with pytest.raises(Rejected, match="TrainingJobName"), translated("StopTrainingJob"):
        wire.client("sagemaker").stop_training_job()

    assert wire.calls == []


def test_other_errors_pass_through() -> None:
    """What is not botocore's is a defect, and is not dressed as the service's answer."""
    with pytest.raises(KeyError), translated("StopTrainingJob"):
        raise KeyError("defect")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "sign in with"),
        (ConnectTimeoutError(endpoint_url="https://x"), "check the endpoint"),
    ],
)
def test_what_never_arrived_names_what_mends_it(error: Exception, said: str) -> None:
    """Without credentials a policy would not help, and without an answer the same command may be run again."""
    with pytest.raises(ServiceError) as raised, translated("ListTrainingJobs"):
        raise error

    assert said in raised.value.fix


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "the policy in docs/aws.md"),
        ("ExpiredTokenException", "sign in with"),
        ("UnrecognizedClientException", "sign in with"),
    ],
)
def test_a_denial_names_what_mends_it(code: str, said: str) -> None:
    """A denied action wants the policy; credentials that are not valid want a new sign-in."""
    client = Wire(lambda *_: Error(code)).client("sagemaker")

    with pytest.raises(ServiceDenied) as raised, translated("StopTrainingJob"):
        client.stop_training_job(TrainingJobName="a")

    assert said in raised.value.fix


@pytest.mark.parametrize(
    "error",
    [
        Error("429", status=429),
        Error("408", status=408),
        Error("403", status=403),
        Error("SlowDown"),
        Error("RequestTimeTooSkewed", status=403),
        Error("PriorRequestNotComplete"),
        Error("NobodyHasHeardOfThisException"),
    ],
)
def test_an_odd_answer_to_a_read_says_nothing(error: Error) -> None:
    """Of a read nothing is concluded from a code that is not known, nor from an answer without one."""
    client = Wire(lambda *_: error).client("sagemaker")

    with pytest.raises(Unknown), translated("DescribeTrainingJob"):
        client.describe_training_job(TrainingJobName="a")


@pytest.mark.parametrize("code", sorted(_throttled | _transient))
def test_botocores_own_transient_codes_are_ours(code: str) -> None:
    """What botocore tries again is unknown to us too, of a write as well."""
    client = Wire(lambda *_: Error(code)).client("sagemaker")

    with pytest.raises(Unknown), translated("StopTrainingJob"):
        client.stop_training_job(TrainingJobName="a")


def test_an_answer_that_cannot_be_parsed_is_unknown() -> None:
    """A cut XML makes botocore fail in its parser, with errors that are none of its own."""
    parser = botocore.parsers.create_parser("query")
    shape = boto3.client("sts", region_name="us-east-1").meta.service_model.operation_model(
        "GetCallerIdentity"
    )
    cut = {"status_code": 200, "headers": {}, "body": b"<GetCallerIdentityResponse><Get"}

    with pytest.raises(Unknown, match="cannot be read"), translated("GetCallerIdentity"):
        parser.parse(cut, shape.output_shape)


def test_an_error_without_any_word_is_unknown() -> None:
    """A portal's page in the place of an XML error leaves botocore nothing to say."""
    with pytest.raises(Unknown), translated("GetRole"):
        raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}}, "GetRole")  # type: ignore[typeddict-item]
