"""Turns botocore's errors into those that may cross a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from wpfsm.fsm.errors import POLICY, Rejected, ServiceDenied, ServiceError, Unknown

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
_TRANSIENT = frozenset(
    {
        "InternalErrorException",
        "InternalFailure",
        "InternalServerError",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_CREDENTIALS = (
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
_NOT_PERMITTED = frozenset(
    {"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"}
)
"""The credentials are good, and may not do this."""
SIGN_IN = (
    "`aws sts get-caller-identity` tells who you are: set AWS_PROFILE, or sign in with `aws sso login` or "
    "`aws configure`"
)
REACH = "check the endpoint and the network, then run the same command again"


def denied(code: str, message: str, operation: str) -> ServiceDenied:
    """The error for a call that the credentials did not get through, with what mends it."""
    fix = POLICY if code in _NOT_PERMITTED else SIGN_IN
    return ServiceDenied(code, message, operation=operation, fix=fix)


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raises what botocore raises inside the block as a ``ServiceError``.

    Args:
        operation: the operation's name on the wire, for the message.

    Raises:
        ServiceDenied: credentials are missing, expired or insufficient.
        Unknown: timeout, connection loss, 5xx or throttling.
        Rejected: any other answer of the service, or a request that botocore would not send.
    """
    try:
        yield
    except ClientError as error:
        raise _of_client_error(error, operation) from error
    except _CREDENTIALS as error:
        raise denied(type(error).__name__, str(error), operation) from error
    except ParamValidationError as error:  # raised before anything is sent
        raise Rejected("ParamValidationError", str(error), operation=operation) from error
    except BotoCoreError as error:
        raise Unknown(type(error).__name__, str(error), operation=operation, fix=REACH) from error


def _of_client_error(error: ClientError, operation: str) -> ServiceError:
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        return denied(code, message, operation)
    if code == "EmulatorDiskFull":
        return Unknown(
            code, message, operation=operation, fix="make room on that disk; the loop can be resumed"
        )
    if code in _TRANSIENT or status >= 500:
        return Unknown(code, message, operation=operation, fix=REACH)
    return Rejected(code, message, operation=operation)
