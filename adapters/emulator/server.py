"""The emulator as a process: one per state directory, on loopback, until it is told to end or has nothing to do."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wpfsm.adapters.emulator.api.app import App
from wpfsm.adapters.emulator.api.browser_guard import refused
from wpfsm.adapters.emulator.api.callers import callers, refuse, write_credentials
from wpfsm.adapters.emulator.api.http_server import HOST, hang_up, listen, reached_at
from wpfsm.adapters.emulator.api.wire import Answer
from wpfsm.adapters.emulator.engine.clock import RealClock
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ConnectionCut
from wpfsm.adapters.emulator.engine.faults import FaultRule
from wpfsm.adapters.emulator.engine.locks import wait_for_lock
from wpfsm.adapters.emulator.engine.log_store import LogStore
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.engine.workers import Threads
from wpfsm.adapters.emulator.launch import LOCK_NAME
from wpfsm.adapters.emulator.runner.base import Launch, Runner
from wpfsm.adapters.emulator.s3.kept import KeptS3
from wpfsm.adapters.emulator.s3.moto import Moto

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from mypy_boto3_s3.client import S3Client

logger = logging.getLogger(__name__)

ENDPOINT_NAME = "endpoint.json"
DATABASE_NAME = "emulator.db"
LOCK_SECONDS = 1.0
S3_NAME = "s3"


class StateInUseError(Exception):
    """Another emulator serves this state directory."""


@dataclass(frozen=True)
class Options:
    """How to serve.

    Attributes:
        state: The state directory; made if absent.
        host: The address to listen on; beyond loopback a token is asked for.
        port: 0 picks a free one.
        scale: Seconds of the emulator's clock in one real second.
        images: TrainingImage URI to the Python environment that stands for it.
        idle_exit: Real seconds without request, job and pool after which it ends; None: never.
    """

    state: Path
    host: str = HOST
    port: int = 0
    scale: float = 1.0
    images: Mapping[str, Path] = field(default_factory=dict)
    faults: tuple[FaultRule, ...] = ()
    idle_exit: float | None = None
    settings: Settings = field(default_factory=Settings)


class Server:
    """An emulator that listens.

    Args:
        options: See Options.
        make_runner: Makes the runner from the log sink; the one of real processes when None.

    Raises:
        StateInUseError: See there.
        OSError: The port is taken.
    """

    def __init__(self, options: Options, make_runner: Callable[[LogStore], Runner] | None = None) -> None:
        self._options = options
        _make_private(options.state)
        self._lock_file = _lock(options.state / LOCK_NAME)
        self._callers = callers(options.host)
        self._busy = _Activity()
        self._ending = threading.Event()
        store = Store(options.state / DATABASE_NAME)
        clock = RealClock(options.scale, not_before=store.latest())
        self._moto = Moto()
        make = make_runner or self._subprocess_runner
        self.engine = Engine(
            store=store,
            settings=options.settings,
            clock=clock,
            runner=lambda logs, _: make(logs),
            workers=Threads(),
            root=options.state,
        )
        self.app = App(self.engine, KeptS3(self._moto, options.state / S3_NAME))
        self.app.faults.add(options.faults)
        self._http = listen(self._serve, options.host, options.port)
        self.url = f"http://{reached_at(options.host)}:{self._http.server_port}"
        self._driver = threading.Thread(target=self._drive, name="driver", daemon=True)

    def run(self, ready: Callable[[str], None] = lambda _: None) -> None:
        """Serve until ``stop`` is called or the emulator is idle; ``ready`` gets the URL once it listens."""
        endpoint = self._options.state / ENDPOINT_NAME
        self._driver.start()
        _write_endpoint(endpoint, self.url, self._callers.token)
        if self._callers.token:
            write_credentials(self._options.state, self._options.settings.account, self._callers.token)
        ready(self.url)
        self._moto.load_in_background()
        try:
            self._http.serve_forever(poll_interval=0.5)
        finally:
            self._ending.set()
            self.engine.changed.set()
            self._driver.join()
            endpoint.unlink(missing_ok=True)
            self._http.server_close()
            self.engine.close()
            self._lock_file.close()

    def stop(self) -> None:
        """End ``run``; may be called from any thread but that of ``run``."""
        self._http.shutdown()

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if reason := refused(environ, by_any_name=bool(self._callers.token)):
            return Answer(403, reason.encode(), "text/plain").send(start_response)
        if reason := self._callers.refusal(environ, self.app.gave):
            return refuse(environ, reason).send(start_response)
        quiet = environ.get("PATH_INFO") == "/_wpfsm/health"
        with contextlib.nullcontext() if quiet else self._busy:
            try:
                answer = self.app(environ, start_response)
            except ConnectionCut:
                hang_up(environ)
                raise ConnectionAbortedError("a fault cut the connection") from None
        return answer

    def _drive(self) -> None:
        """Let time pass while nobody asks; end an emulator that has nothing to do."""
        while not self._ending.is_set():
            self.engine.changed.clear()
            try:
                with self.engine.transaction():
                    pass
                wait = self.engine.wait_hint()
            except Exception:
                logger.exception("the engine failed; it goes on in a second")
                wait = 1.0
            idle_exit = self._options.idle_exit
            if idle_exit is not None and self.engine.idle():
                left = idle_exit - self._busy.idle_seconds()
                if left <= 0:
                    self.stop()
                    return
                wait = left if wait is None else min(wait, left)
            self.engine.changed.wait(wait)

    def _subprocess_runner(self, logs: LogStore) -> Runner:
        from wpfsm.adapters.emulator.runner.subprocess import SubprocessRunner

        return SubprocessRunner(
            self._options.state,
            logs=logs,
            s3=self._own_s3(),
            images=self._options.images,
            grace=self._options.settings.stop_grace / self._options.scale,
            aws=self._variables_of_job,
        )

    def _variables_of_job(self, launch: Launch) -> dict[str, str]:
        """Return what leads a job's AWS clients here, and makes them worthless everywhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": launch.account,
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": launch.region,
            "AWS_REGION": launch.region,
            **({"AWS_SESSION_TOKEN": self._callers.token} if self._callers.token else {}),
        }

    def _own_s3(self) -> Callable[[str, str], S3Client]:
        """Return what makes S3 clients on this emulator without a socket; a client takes 0.1 s to make."""
        from wpfsm.adapters.emulator.wsgi_transport import client_session

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return self.app(environ, start_response)  # the runner is made before the application

        @functools.cache
        def client(account: str, region: str) -> S3Client:
            return client_session(application, region, account).client("s3")

        return client


class _Activity:
    """Knows since when no request is being answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._last = time.monotonic()

    def __enter__(self) -> None:
        with self._lock:
            self._open += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open -= 1
            self._last = time.monotonic()

    def idle_seconds(self) -> float:
        with self._lock:
            return 0.0 if self._open else time.monotonic() - self._last


def _lock(path: Path) -> Any:
    """Hold the kernel's lock on a state directory for the life of the process.

    Whoever looks whether an emulator lives holds it for an instant, and one that was killed for a little longer.
    """
    handle = path.open("a")
    if wait_for_lock(handle, time.monotonic() + LOCK_SECONDS):
        return handle
    handle.close()
    raise StateInUseError(f"another emulator serves {path.parent}")


def _make_private(state: Path) -> None:
    """Make a state directory that is nobody else's to look into.

    One that is there already and holds something other than an emulator's state keeps its mode: it may be a
    directory that others work in.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (state / LOCK_NAME).exists() or not any(state.iterdir()):
        state.chmod(0o700)


def _write_endpoint(path: Path, url: str, token: str) -> None:
    """Say where the emulator listens, in one step, so that nobody reads half of it."""
    document = {
        "url": url,
        "pid": os.getpid(),
        "started_at": time.time(),
        "version": importlib.metadata.version("wpfsm"),
    }
    if token:
        document["token"] = token
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(document))
    draft.replace(path)
