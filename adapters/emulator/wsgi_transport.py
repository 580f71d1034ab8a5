"""Answers the requests of a botocore client from the emulator in this process, without a socket."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from wpfsm.adapters.emulator.engine.errors import ConnectionCut
from wpfsm.adapters.emulator.engine.settings import ACCOUNT

if TYPE_CHECKING:
    import boto3
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

ACCOUNT_HEADER = "HTTP_X_MOTO_ACCOUNT_ID"
"""Tells moto, in a WSGI environment, which account asks."""


def client_session(app: WSGIApplication, region: str, account: str = ACCOUNT) -> boto3.Session:
    """Return a session with made-up credentials, and none of the user's, on a WSGI application."""
    import boto3

    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="none", region_name=region)
    attach(session, app)
    return session


def attach(session: boto3.Session, app: WSGIApplication) -> None:
    """Answer every AWS request of a session's clients from a WSGI application."""

    def respond(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return answer(app, request)

    session.events.register_first("before-send.*.*", cast("Any", respond))


def answer(app: WSGIApplication, request: AWSPreparedRequest) -> AWSResponse:
    """Carry one botocore request to a WSGI application and back.

    Raises:
        ReadTimeoutError: The application cut the connection.
    """
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import ReadTimeoutError

    head: list[tuple[int, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        head.append((int(status.split(" ", 1)[0]), dict(headers)))
        return lambda _: None

    try:
        body = b"".join(app(_environ(request), cast("Any", start_response)))
    except ConnectionCut:
        raise ReadTimeoutError(endpoint_url=request.url) from None
    status, headers = head[-1]
    return AWSResponse(request.url, status, cast("Any", _headers(headers)), cast("Any", _Raw(body)))


def _headers(headers: dict[str, str]) -> object:
    from botocore.compat import HTTPHeaders

    return HTTPHeaders.from_dict(headers)


class _Raw(io.BytesIO):
    """A response body as botocore reads it."""

    def stream(self, *_: object, **__: object) -> Any:
        """Yield what is left."""
        while chunk := self.read(1 << 16):
            yield chunk


def _body(raw: object) -> bytes:
    """Return a request body, which botocore gives as bytes, text, a file or nothing."""
    if isinstance(raw, bytes | bytearray):
        return bytes(raw)
    if isinstance(raw, str):
        return raw.encode()
    return cast("IO[bytes]", raw).read() if raw is not None else b""


def _environ(request: AWSPreparedRequest) -> WSGIEnvironment:
    url = urlsplit(request.url)
    body = _body(request.body)
    environ: dict[str, object] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path) or "/",
        "RAW_URI": f"{url.path or '/'}?{url.query}" if url.query else url.path or "/",
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "localhost",
        "SERVER_PORT": str(url.port or 443),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, raw in cast("Mapping[str, bytes | str]", request.headers).items():
        text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    return cast("WSGIEnvironment", environ)


def account_session(app: WSGIApplication, account: str, region: str) -> boto3.Session:
    """Return a session on an application that is told in a header, as moto is, which account asks."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, ACCOUNT_HEADER: account}, start_response)

    return client_session(application, region, account)
