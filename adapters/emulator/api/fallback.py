"""Whatever is not answered here is the fallback's: S3, STS, DynamoDB and the rest of what moto offers."""

from __future__ import annotations

import functools
import io
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from wpfsm.adapters.emulator.api import query_protocol
from wpfsm.adapters.emulator.api.call_log import CallLog
from wpfsm.adapters.emulator.api.cloudwatch_metrics import SERVICE, PublishedMetrics
from wpfsm.adapters.emulator.api.wire import Answer, Signature, json_refusal
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.records import Place, Request
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.wsgi_transport import ACCOUNT_HEADER, account_session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)


class Fallback:
    """Another application, whose failures are refusals: a status of 500 would be retried ten times.

    Args:
        application: Answers the requests.
        calls: Counts them.
        store: Holds the metrics that the application's CloudWatch is told of.
    """

    def __init__(self, application: WSGIApplication, calls: CallLog, store: Store) -> None:
        self._application = application
        self._calls = calls
        self._metrics = PublishedMetrics(store, application)
        # A client takes 0.1 s to make: one for each account and region.
        self._logs_client = functools.cache(self._make_logs_client)

    def answer(
        self, environ: WSGIEnvironment, start_response: StartResponse, signature: Signature, place: Place
    ) -> Iterable[bytes]:
        """Let the application answer, for an account and region; what it cannot answer becomes a refusal."""
        self._calls.count(f"{signature.service or 'unsigned'} {environ.get('REQUEST_METHOD', '')}".strip())
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            heads.append((status, headers))
            return lambda _: None

        try:
            if signature.service == SERVICE:
                self._metrics.publish(place)
            environ = {**environ, ACCOUNT_HEADER: place[0]}
            chunks = self._application(environ, cast("StartResponse", begin))
            status, headers = heads[-1]
        except Exception as error:
            logger.exception("the fallback failed")
            return _unanswered(environ, f"{type(error).__name__}: {error}").send(start_response)
        if status.startswith("5"):
            text = b"".join(chunks).decode("utf-8", "replace")
            return _unanswered(environ, text).send(start_response)
        start_response(status, headers)
        return chunks

    def _make_logs_client(self, place: Place) -> Any:
        return account_session(self._application, *place).client("logs")

    def log_groups(self, place: Place, request: Request) -> Request:
        """Return the application's answer to a DescribeLogGroups.

        Raises:
            ServiceError: What it answers instead.
        """
        from botocore.exceptions import ClientError

        try:
            answer: Any = self._logs_client(place).describe_log_groups(**request)
        except ClientError as error:
            told: Any = error.response
            if told["ResponseMetadata"]["HTTPStatusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise ServiceError(told["Error"]["Code"], told["Error"]["Message"]) from None
            raise _failure(str(error)) from None
        except Exception as error:
            logger.exception("the fallback failed")
            raise _failure(f"{type(error).__name__}: {error}") from None
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def moto_has(operation: str) -> bool:
    """Tell whether the fallback knows a SageMaker operation, judged by moto's method of that name."""
    try:
        from moto.sagemaker.responses import SageMakerResponse
    except ImportError:
        return False
    from botocore import xform_name

    return hasattr(SageMakerResponse, xform_name(operation))


def read_again(environ: WSGIEnvironment, body: bytes) -> WSGIEnvironment:
    """Return a request whose body, which was read, can be read again."""
    return {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _failure(detail: str) -> ServiceError:
    message = f"The emulator's fallback does not answer this request. {detail[:300]}"
    return ServiceError("EmulatorFallbackFailure", message)


def _unanswered(environ: WSGIEnvironment, detail: str) -> Answer:
    """Say in the client's protocol that the fallback could not answer."""
    error = _failure(detail)
    return json_refusal(error) if "HTTP_X_AMZ_TARGET" in environ else query_protocol.refusal(error)
