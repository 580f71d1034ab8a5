"""Whatever is not answered here is the fallback's: S3, STS, DynamoDB and the rest of what moto offers."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.api import query_protocol
from wpfsm.adapters.emulator.api.call_log import CallLog
from wpfsm.adapters.emulator.api.wire import Answer, Signature, json_refusal
from wpfsm.adapters.emulator.engine.errors import ServiceError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)


class Fallback:
    """Another application, whose failures are refusals: a status of 500 would be retried ten times.

    Args:
        application: Answers the requests.
        calls: Counts them.
    """

    def __init__(self, application: WSGIApplication, calls: CallLog) -> None:
        self._application = application
        self._calls = calls

    def answer(
        self, environ: WSGIEnvironment, start_response: StartResponse, signature: Signature, account: str
    ) -> Iterable[bytes]:
        """Let the application answer, for an account; what it cannot answer becomes a refusal."""
        self._calls.count(f"{signature.service or 'unsigned'} {environ.get('REQUEST_METHOD', '')}".strip())
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            heads.append((status, headers))
            return lambda _: None

        try:
            environ = {**environ, "HTTP_X_MOTO_ACCOUNT_ID": account}
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


def _unanswered(environ: WSGIEnvironment, detail: str) -> Answer:
    """Say in the client's protocol that the fallback could not answer."""
    message = f"The emulator's fallback does not answer this request. {detail[:300]}"
    error = ServiceError("EmulatorFallbackFailure", message)
    return json_refusal(error) if "HTTP_X_AMZ_TARGET" in environ else query_protocol.refusal(error)
