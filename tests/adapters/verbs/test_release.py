"""``release``: the pool of a loop, or of one job that no database here knows."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cli_bench import BROKEN, Bench
from report_loops import Made, write_loop


class _Refuses(http.server.BaseHTTPRequestHandler):
    """A service for which these credentials have expired."""

    def do_POST(self) -> None:
        """As SageMaker answers."""
        self.send_response(400)
        body = b'{"__type": "AccessDeniedException", "Message": "not with these credentials"}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _on_a_low_port() -> http.server.ThreadingHTTPServer:
    """Places are asked in the order of their addresses, and ports that a system hands out begin with 3 or more."""
    for port in range(10_000, 20_000):
        with contextlib.suppress(OSError):
            return http.server.ThreadingHTTPServer(("127.0.0.1", port), _Refuses)
    raise AssertionError("every port is taken")


@pytest.fixture
def refusing() -> Iterator[str]:
    """An endpoint that answers, and refuses everything; of several, it is the first to be asked."""
    with _on_a_low_port() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def row_of(bench: Bench, job: str) -> Any:
    """The row of `pools` for a job; None when there is none."""
    return next((pool for pool in bench.run("pools", "-o", "json").json["pools"] if pool["job"] == job), None)


def test_release_is_idempotent(bench: Bench):
    """A hand-off is released, and a second time nothing is left to do."""
    assert bench.run("start", bench.loop("let-go", BROKEN)).code == 10
    for _ in range(2):
        ran = bench.run("release", "let-go", "-o", "json")
        assert ran.code == 0, ran.err
        assert ran.json["pool"]["released"] is True


def test_release_of_one_job_needs_no_database(bench: Bench, tmp_path_factory: pytest.TempPathFactory):
    """A pool is released by its job's name, from a machine that never saw the loop."""
    assert bench.run("start", bench.loop("elsewhere", BROKEN)).code == 10
    job = bench.document("elsewhere")["jobs"][0]["name"]
    assert row_of(bench, job)["holder"] == "handoff"
    other = Bench(tmp_path_factory.mktemp("other"), bench.url)
    ran = other.run("release", "--job", job, "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["released"][0]["job"] == job
    assert not other.database.exists()
    assert row_of(bench, job) is None


def test_a_place_that_refuses_keeps_no_other_from_being_asked(
    bench: Bench, refusing: str, tmp_path_factory: pytest.TempPathFactory
):
    """The loops of this machine ran at two endpoints: the job of another machine is found at the second."""
    assert bench.run("start", bench.loop("second-place", BROKEN)).code == 10
    job = bench.document("second-place")["jobs"][0]["name"]
    other = Bench(tmp_path_factory.mktemp("other"))
    made = (Made({"lr": 0.1}, 0.5),)
    for number, endpoint in enumerate((bench.url, refusing)):
        write_loop(other.database, made, loop_id=f"made-00000{number}", endpoint_url=endpoint)
    ran = other.run("release", "--job", job, "-o", "json")
    assert ran.code == 0, ran.err
    assert f"{refusing} was not read" in ran.err
    assert row_of(bench, job) is None
    unknown = other.run("release", "--job", "nobody-knows-it")
    assert unknown.code == 4, unknown.err


def test_release_takes_a_loop_or_a_job(finished: Bench):
    """Neither and both are bad usage."""
    assert finished.run("release").code == 2
    assert finished.run("release", "sweep", "--job", "x").code == 2
