"""Turns botocore's errors into those that may cross a port."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
        # What botocore itself calls transient or throttling (botocore.retries.standard). LimitExceededException is
        # there too, and is left out: several services of ours refuse for good with it.
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "TransactionInProgressException",
        # A clock that is wrong for a moment, here or at a proxy.
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
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
_TRANSIENT_STATUS = frozenset({408, 425, 429})
_WRITES = frozenset({"CreateTrainingJob", "StopTrainingJob", "UpdateTrainingJob", "PutObject"})
KNOWN_OF_A_READ = frozenset(
    {
        "InvalidInput",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "IllegalArgumentException",
        "LimitExceededException",
        "NoSuchEntity",
        "NoSuchResourceException",
        "ParamValidationError",
        "PolicyEvaluation",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ValidationError",
        "ValidationException",
    }
)
"""Refusals that say something about what was asked. Of any other code of a read nothing is concluded."""
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
def translated(operation: str, known: frozenset[str] = KNOWN_OF_A_READ) -> Iterator[None]:
    """Raises what botocore raises inside the block as a ``ServiceError``.

    Args:
        operation: the operation's name on the wire, for the message.
        known: of a read, the codes of refusals from which something may be concluded.

    Raises:
        ServiceDenied: credentials are missing, expired or insufficient.
        Unknown: timeout, connection loss, 5xx or throttling; an answer that cannot be read or carries no code;
            of a read any code that is not known.
        Rejected: any other answer of the service, or a request that botocore would not send.
    """
    try:
        yield
    except ClientError as error:
        raise _of_client_error(error, operation, known) from error
    except _CREDENTIALS as error:
        raise denied(type(error).__name__, str(error), operation) from error
    except ParamValidationError as error:  # raised before anything is sent
        raise Rejected("ParamValidationError", str(error), operation=operation) from error
    except BotoCoreError as error:
        raise Unknown(type(error).__name__, str(error), operation=operation, fix=REACH) from error
    except Exception as error:
        if not _while_parsing(error):
            raise
        text = f"the answer cannot be read: {type(error).__name__}: {error}"
        raise Unknown("UnreadableAnswer", text, operation=operation, fix=REACH) from error


def _while_parsing(error: Exception) -> bool:
    """Whether an error came up inside botocore, where it took an answer apart, and is no mistake of ours."""
    return any(
        str(frame.f_globals.get("__name__", "")).startswith("botocore.")
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def complete(answer: Mapping[str, Any], operation: str, *members: str) -> None:
    """Refuse to conclude anything from an answer without what it always has.

    Raises:
        Unknown: A member is missing, or the answer is none.
    """
    missing = [member for member in members if not isinstance(answer, Mapping) or answer.get(member) is None]
    if missing:
        raise Unknown("IncompleteAnswer", f"the answer has no {', '.join(missing)}", operation=operation)


@contextmanager
def understood(operation: str) -> Iterator[None]:
    """Around taking an answer apart: what has another shape than it always has says nothing.

    Raises:
        Unknown: A member was of another kind, or missing.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        text = f"the answer has another shape than it should: {type(error).__name__}: {error}"
        raise Unknown("IncompleteAnswer", text, operation=operation) from error


def _of_client_error(error: ClientError, operation: str, known: frozenset[str]) -> ServiceError:
    said = error.response.get("Error") or {}  # a body that is no XML leaves nothing of it
    code = str(said.get("Code") or "")
    message = str(said.get("Message") or "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        return denied(code, message, operation)
    if code == "EmulatorDiskFull":
        return Unknown(
            code, message, operation=operation, fix="make room on that disk; the loop can be resumed"
        )
    nameless = (
        not code or code.isdigit()
    )  # a proxy's answer, or one that was cut: botocore puts the status there
    unheard_of = operation not in _WRITES and code not in known
    if code in _TRANSIENT or status >= 500 or status in _TRANSIENT_STATUS or nameless or unheard_of:
        return Unknown(code, message, operation=operation, fix=REACH)
    return Rejected(code, message, operation=operation)
