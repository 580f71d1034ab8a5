"""Web pages are kept out of the endpoint."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from emulator_process import PATIENCE, Process, emulator_process


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An emulator for the tests that change nothing in it."""
    with emulator_process(tmp_path_factory.mktemp("served")) as process:
        yield process


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "bucket.localhost"}, 200),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.example.org"}, 403),
        ({"Host": "127.0.0.1.example.org"}, 403),
    ],
)
def test_web_pages_are_kept_out(served: Process, headers: dict[str, str], status: int) -> None:
    """A request with an Origin, or by another name than loopback's, is refused: the emulator runs code."""
    where = urlsplit(served.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
    connection.request("GET", "/_wpfsm/health", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_a_browser_s_question_beforehand_is_refused(served: Process) -> None:
    """The preflight that a browser sends before a request with X-Amz-Target gets no permission."""
    where = urlsplit(served.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
    connection.request("OPTIONS", "/", headers={"Origin": "https://example.org", **asks})
    answer = connection.getresponse()
    assert answer.status == 403
    assert answer.headers.get("Access-Control-Allow-Origin") is None
    connection.close()
