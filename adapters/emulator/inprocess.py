"""An emulator inside the process that uses it: no socket, no thread, exact time.

emulator = Emulator(runner=ScriptedRunner(lambda launch: Script(seconds=120, lines=["eval_loss=0.4"])))
sagemaker = emulator.session().client("sagemaker")
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast
from urllib.parse import unquote, urlsplit

from wpfsm.adapters.emulator.api.app import App
from wpfsm.adapters.emulator.api.call_log import CallRecord
from wpfsm.adapters.emulator.engine.clock import Clock, ManualClock
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ConnectionCut
from wpfsm.adapters.emulator.engine.faults import parse_rules
from wpfsm.adapters.emulator.engine.records import Job, Pool
from wpfsm.adapters.emulator.engine.settings import ACCOUNT, Settings
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.runner.base import JSONValue
from wpfsm.adapters.emulator.s3.moto import Moto
from wpfsm.adapters.emulator.scripted import ScriptedRunner

if TYPE_CHECKING:
    import boto3
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class Emulator:
    """An emulator as an object.

    Args:
        settings: See Settings.
        runner: Follows its scripts; a default one succeeds in a second.
        clock: Stands still until advanced unless another is given.
        state: A directory that remembers jobs and pools; in memory when None.
        fallback: Answers what the emulator does not; moto when None.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        runner: ScriptedRunner | None = None,
        clock: Clock | None = None,
        state: Path | None = None,
        fallback: WSGIApplication | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.runner = runner or ScriptedRunner()
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
        self.engine = Engine(
            store=Store(state / "emulator.db" if state else None),
            settings=settings or Settings(),
            clock=self.clock,
            runner=self.runner.attach,
            root=state,
        )
        self.app = App(self.engine, fallback or Moto())

    def attach(self, session: boto3.Session) -> None:
        """Answer every AWS request of a session's clients from here."""
        attach(session, self.app)

    def session(self, region: str = "us-east-1", account: str = ACCOUNT) -> boto3.Session:
        """Return a session with made-up credentials whose every request is answered here."""
        return client_session(self.app, region, account)

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that happens in it."""
        self.clock.advance(seconds)
        with self.engine.transaction():
            pass

    def inject(self, *faults: JSONValue) -> list[int]:
        """Put faults in force; see ``faults.py`` for what they look like."""
        return self.app.faults.add([rule for fault in faults for rule in parse_rules(fault)])

    def jobs(self) -> Sequence[Job]:
        """Return every job on record, oldest first."""
        with self.engine.transaction():
            return list(self.engine.store.all_jobs())

    def pools(self) -> Sequence[Pool]:
        """Return every pool that ever was, with its history, oldest first."""
        with self.engine.transaction():
            return self.engine.store.all_pools()

    def calls(self) -> Sequence[CallRecord]:
        """Return every call, oldest first."""
        return self.app.calls.all()

    def created(self) -> Sequence[str]:
        """Return the job name of every CreateTrainingJob that was accepted, in order, answered or not."""
        return [
            call.job
            for call in self.calls()
            if call.operation == "CreateTrainingJob" and call.outcome in {"ok", "cut-after-write"}
        ]

    def close(self) -> None:
        """Let go of everything."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def attach(session: boto3.Session, app: WSGIApplication) -> None:
    """Answer every AWS request of a session's clients from a WSGI application."""

    def respond(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return answer(app, request)

    session.events.register_first("before-send.*.*", cast("Any", respond))


def client_session(app: WSGIApplication, region: str, account: str = ACCOUNT) -> boto3.Session:
    """Return a session with made-up credentials, and none of the user's, on a WSGI application."""
    import boto3

    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="none", region_name=region)
    attach(session, app)
    return session


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
