"""One HTTP exchange: who asks, what was sent, what is answered."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Never, cast

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([\w-]+)/([^/]+)/aws4_request")
LAST_POSITION, LONGEST_TOKEN = 1 << 60, 64
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Signature:
    """Who asks, where: the credential scope of an AWS Signature Version 4."""

    access_key: str = ""
    region: str = DEFAULT_REGION
    service: str = ""

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> Signature:
        """Read it from the Authorization header; a request without one gets the defaults."""
        found = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        return cls(*found.groups()) if found else cls()


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.1"
    error: str = ""

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a WSGI request."""
        headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        if self.error:
            headers.append(("x-amzn-ErrorType", self.error))
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", headers)
        return [self.body]


def read_body(environ: WSGIEnvironment) -> bytes:
    """Return the whole body of a request."""
    if environ.get("wsgi.input_terminated"):
        return cast("bytes", environ["wsgi.input"].read())
    length = environ.get("CONTENT_LENGTH") or "0"
    return cast("bytes", environ["wsgi.input"].read(int(length))) if length.isdigit() else b""


def read_json(body: bytes) -> JSONValue:
    """Read a document as strictly as the service does: Python alone would take NaN and infinity for numbers.

    Raises:
        ValueError: It is not JSON, or nested too deep to be read.
    """
    try:
        return cast("JSONValue", json.loads(body, parse_constant=_no_number, parse_float=_finite))
    except RecursionError:
        raise ValueError("the document is nested too deep") from None


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is not a number")


def page_position(token: str) -> int | None:
    """Return the position that a page's token holds, None for a token that no page gave."""
    if not (token.isascii() and token.isdigit() and len(token) <= LONGEST_TOKEN):
        return None
    position = int(token)
    return position if position < LAST_POSITION else None


def json_answer(result: dict[str, JSONValue]) -> Answer:
    """Return a result in the JSON 1.1 protocol."""
    return Answer(200, json.dumps(result).encode())


def json_refusal(error: ServiceError) -> Answer:
    """Return an error in the JSON 1.1 protocol."""
    body = json.dumps({"__type": error.code, "message": error.message}).encode()
    return Answer(error.status, body, error=error.code)
