"""The socket side of the emulator: listening, telling who calls, and cutting a connection on demand."""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from wpfsm.adapters.emulator.api.callers import PEER_USER, peer_user

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOST = "127.0.0.1"


def listen(app: Callable[..., Iterable[bytes]], host: str, port: int) -> Any:
    """Return a server that answers each request in a thread; each tells the user at its other end, if asked.

    Raises:
        OSError: The port is taken.
    """
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing: requests are in the call log."""

        @functools.cached_property
        def peer(self) -> int | None:
            """The user at the other end of this connection, asked once."""
            return peer_user(self.client_address, self.connection.getsockname())

        def make_environ(self) -> WSGIEnvironment:
            return super().make_environ() | {PEER_USER: lambda: self.peer}

    return make_server(host, port, app, threaded=True, request_handler=Handler)


def reached_at(host: str) -> str:
    """Return where this machine's own processes reach an emulator that listens on an address."""
    return HOST if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound


def hang_up(environ: WSGIEnvironment) -> None:
    """Cut the connection under an answer that must not arrive."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
