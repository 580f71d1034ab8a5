"""A proxy of fifteen nuisances between a controller and its endpoint, drawn from a seed.

What networks, gateways and captive portals do to a request: each nuisance either keeps it from the endpoint, or
lets it through and spoils the answer. All of it is what the service itself would never have said.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

JSON = "application/x-amz-json-1.1"
Answer = tuple[int, dict[str, str], bytes]


def _error(status: int, code: str, kind: str = JSON) -> Answer:
    return status, {"Content-Type": kind}, f'{{"__type":"{code}","message":"nuisance"}}'.encode()


INSTEAD: dict[str, Callable[[], Answer]] = {
    "too many requests": lambda: (429, {"Content-Type": "text/plain"}, b"slow down"),
    "request timeout": lambda: (408, {"Content-Type": "text/plain"}, b""),
    "forbidden, without a code": lambda: (403, {"Content-Type": "text/html"}, b"<html>no</html>"),
    "SlowDown": lambda: _error(400, "SlowDown"),
    "RequestTimeTooSkewed": lambda: _error(403, "RequestTimeTooSkewed"),
    "bad request, cut": lambda: (400, {"Content-Type": JSON}, b'{"__type":"Valida'),
    "internal error": lambda: (500, {"Content-Type": "text/html"}, b"<html>500</html>"),
    "bad gateway": lambda: (502, {}, b""),
    "a portal": lambda: (200, {"Content-Type": "text/html"}, b"<html>please sign in</html>"),
    "a code from nowhere": lambda: _error(400, "NobodyHasHeardOfThisException"),
}
"""The request does not reach the endpoint."""
SPOILED: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": lambda body, dice: body[: dice.randrange(len(body))] if body else body,
    "empty": lambda _, __: b"",
    "garbage": lambda body, dice: bytes(dice.randrange(256) for _ in body[:64]),
}
"""The request was carried out, and its answer cannot be read."""
LOST = ("reset before", "reset after")
NUISANCES = (*INSTEAD, *SPOILED, *LOST)


class NuisanceProxy:
    """Passes requests on, most of the time.

    Args:
        endpoint: Where to.
        seed: Of what goes wrong.
        share: Of all requests.
    """

    def __init__(self, endpoint: str, seed: int, share: float = 0.15) -> None:
        self.dice = random.Random(seed)
        self.share = share
        self.endpoint = urlsplit(endpoint)
        self.happened: Counter[str] = Counter()
        self._lock = threading.Lock()

    def draw(self) -> str:
        """What befalls this request; empty for nothing."""
        with self._lock:
            if self.dice.random() >= self.share:
                return ""
            drawn = self.dice.choice(NUISANCES)
            self.happened[drawn] += 1
            return drawn

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """Ask the endpoint."""
        connection = http.client.HTTPConnection(self.endpoint.hostname or "", self.endpoint.port, timeout=60)
        with contextlib.closing(connection):
            headers = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
            connection.request(handler.command, handler.path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        dropped = ("transfer-encoding", "connection", "content-length")
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
        return answer.status, kept, content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: NuisanceProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        drawn = self.proxy.draw()
        if drawn in INSTEAD:
            self._send(*INSTEAD[drawn]())
        elif drawn == "reset before":
            self._reset()
        else:
            status, headers, content = self.proxy.forward(self, body)
            if drawn == "reset after":
                self._reset()
            elif drawn in SPOILED:
                headers = {name: value for name, value in headers.items() if name.lower() != "x-amz-crc32"}
                self._send(status, headers, SPOILED[drawn](content, self.proxy.dice))
            else:
                self._send(status, headers, content)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - the library's names

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        """Close with RST: the client has no answer, and no end of one."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()


@contextlib.contextmanager
def nuisances(endpoint: str, seed: int, share: float = 0.15) -> Iterator[tuple[str, NuisanceProxy]]:
    """The proxy's own endpoint, while the block lasts."""
    proxy = NuisanceProxy(endpoint, seed, share)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", proxy
    finally:
        server.shutdown()
        server.server_close()
