"""One emulator per state directory, started when it is needed, gone when it is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from wpfsm.adapters.emulator.launch import (
    EmulatorStartError,
    Endpoint,
    ensure,
    find,
    minimal_environment,
    stop,
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory, whose emulator is ended at last."""
    directory = tmp_path / "state"
    yield directory
    if found := find(directory):
        os.kill(found.pid, signal.SIGKILL)


def ended(endpoint: Endpoint, state: Path) -> None:
    """Wait until the emulator's lock is free, which is when its process is gone."""
    subprocess.run(["flock", state / "emulator.lock", "true"], check=True, timeout=90)


def test_it_starts_once_and_is_found_again(state: Path) -> None:
    """The second caller gets the emulator of the first."""
    first = ensure(state)

    assert first.url.startswith("http://127.0.0.1:")
    assert ensure(state) == first == find(state)


def test_two_callers_at_once_get_the_same_one(state: Path) -> None:
    """Processes that start together share one emulator."""
    ask = (
        "import sys, pathlib; from wpfsm.adapters.emulator.launch import ensure;"
        "print(ensure(pathlib.Path(sys.argv[1])))"
    )
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(subprocess.check_output, [sys.executable, "-c", ask, state]) for _ in range(3)]

    assert {call.result() for call in calls} == {f"{find(state)}\n".encode()}


def test_it_outlives_its_starter_and_what_a_dead_one_left_is_not_believed(state: Path) -> None:
    """An emulator that was killed is replaced, though its endpoint file is still there."""
    first = ensure(state)
    os.kill(first.pid, signal.SIGKILL)
    ended(first, state)
    assert find(state) is None

    second = ensure(state)
    assert second.pid != first.pid


def test_a_stranger_on_the_port_is_not_taken_for_it(state: Path) -> None:
    """The process that answers must be the one that the endpoint file names."""
    endpoint = ensure(state)
    told = json.loads((state / "endpoint.json").read_text())
    other = state / "other"
    other.mkdir()
    (other / "endpoint.json").write_text(json.dumps(told | {"pid": 1}))

    assert find(other) is None
    assert find(state) == endpoint


SLOW = """
import fcntl, http.server, json, os, pathlib, sys

state, refusals = pathlib.Path(sys.argv[1]), int(sys.argv[2])
lock = (state / "emulator.lock").open("w")
fcntl.flock(lock, fcntl.LOCK_EX)

class Handler(http.server.BaseHTTPRequestHandler):
    left = refusals

    def do_GET(self):
        Handler.left -= 1
        if Handler.left < 0:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"pid": os.getpid()}).encode())

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
told = {"url": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid()}
(state / "endpoint.json").write_text(json.dumps(told))
print("listening", flush=True)
server.serve_forever()
"""


@contextmanager
def busy_emulator(state: Path, refusals: int) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a state directory as an emulator does, and hangs up on the first requests."""
    state.mkdir()
    command = [sys.executable, "-c", SLOW, state, str(refusals)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        try:
            yield process
        finally:
            process.kill()


def test_one_that_is_too_busy_to_answer_at_first_is_waited_for(state: Path) -> None:
    """On a loaded machine an emulator may not answer in time: it is found all the same, and no second one started."""
    with busy_emulator(state, refusals=3) as process:
        assert ensure(state).pid == process.pid


def test_one_that_is_too_busy_to_answer_at_first_is_stopped(state: Path) -> None:
    """``stop`` does not take an emulator that lives for one that is not there."""
    with busy_emulator(state, refusals=3) as process:
        assert stop(state)
        assert process.wait(20) == -signal.SIGTERM
    assert not stop(state)


def test_one_that_never_answers_is_an_error_that_says_so(state: Path) -> None:
    """Neither caller hangs, and neither claims that there is none."""
    with busy_emulator(state, refusals=10**9):
        with pytest.raises(EmulatorStartError, match="lives and does not answer"):
            ensure(state, timeout=0.2)
        with pytest.raises(TimeoutError, match="lives and does not answer"):
            stop(state, timeout=0.2)


def test_it_ends_when_it_was_idle_for_long_enough(state: Path) -> None:
    """No request, no job, no pool for that time: the process ends by itself."""
    endpoint = ensure(state, options=["--idle-exit", "1"])
    ended(endpoint, state)

    assert find(state) is None


def test_one_that_cannot_start_says_why(state: Path) -> None:
    """The reason is the end of the emulator's own log."""
    with pytest.raises(EmulatorStartError, match="--no-such-option"):
        ensure(state, options=["--no-such-option"])


def test_it_is_in_a_session_of_its_own(state: Path) -> None:
    """The Ctrl-C of a terminal does not reach it."""
    endpoint = ensure(state)

    assert os.getsid(endpoint.pid) == endpoint.pid


def test_it_knows_nothing_of_its_starters_credentials() -> None:
    """Only what Python and pip need is passed on, and of that nothing with a password in it."""
    given = {
        "HOME": "/home/me",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_PROFILE": "x",
        "PYTHONPATH": "x",
        "PIP_INDEX_URL": "https://me:pw@private.example/simple",
        "PIP_CERT": "/ca.pem",
        "https_proxy": "http://me@proxy.example",
        "HF_TOKEN": "x",
    }

    assert minimal_environment(given) == {"HOME": "/home/me", "PIP_CERT": "/ca.pem", "LANG": "C.UTF-8"}


def test_the_process_has_that_environment(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the running process can see is what was meant for it."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("the system does not show the environment of a process")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    endpoint = ensure(state)

    assert b"hunter2" not in Path(f"/proc/{endpoint.pid}/environ").read_bytes()
    with urllib.request.urlopen(f"{endpoint.url}/_wpfsm/health") as answer:
        assert answer.status == 200
