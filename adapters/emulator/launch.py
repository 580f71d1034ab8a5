"""One emulator per state directory: find the one that lives, or start it.

The emulator outlives whoever started it: it is a process of its own in a session of its own, and ends by itself
when it was idle for a while. It gets none of its starter's variables but those that Python and pip need here.
"""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wpfsm.adapters.emulator.engine.locks import LOOK_SECONDS, try_lock, wait_for_lock
from wpfsm.adapters.emulator.runner.base import JSONValue
from wpfsm.adapters.emulator.runner.pip_settings import carries_credentials

IDLE_EXIT_SECONDS = 900
LOG_NAME = "emulator.log"
LOCK_NAME = "emulator.lock"
_PASSED_ON = {
    "HOME",
    "PATH",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
}
_TAIL_BYTES = 2000
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An emulator that answers.

    Attributes:
        url: For ``AWS_ENDPOINT_URL`` and boto3's ``endpoint_url``.
        pid: Its process.
        token: What it asks for where it cannot tell its callers' users apart: the session token of AWS clients.
    """

    url: str
    pid: int
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries that no AWS client makes."""
        return {"X-Amz-Security-Token": self.token} if self.token else {}


class EmulatorStartError(Exception):
    """The emulator ended, or did not answer in time; the message ends with the end of its log."""


def ensure(state_dir: Path, *, options: Sequence[str] = (), timeout: float = 30) -> Endpoint:
    """Return the emulator of a state directory, starting it when none lives. Callers at once get the same one.

    Args:
        state_dir: Made when it is not there.
        options: Of the ``emulator`` command, for one that is started; one that lives keeps its own.
        timeout: Seconds in all.

    Raises:
        EmulatorStartError: It ended, or did not answer in time. One that is slow, or about to end, is waited for.
    """
    deadline = time.monotonic() + timeout
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if found := _found_busy(state_dir):
        return found
    with _turn(state_dir, deadline):
        for _ in _looks(state_dir, deadline):
            if found := _found_busy(state_dir):
                return found
        if _lives(state_dir):
            raise EmulatorStartError(f"the emulator in {state_dir} lives and does not answer")
        return _start(state_dir, options, deadline)


def find(state_dir: Path) -> Endpoint | None:
    """Return the emulator that lives in a state directory and answers, None when there is none."""
    try:
        told = json.loads((state_dir / "endpoint.json").read_text(encoding="utf-8"))
        endpoint = Endpoint(url=str(told["url"]), pid=int(told["pid"]), token=str(told.get("token", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return endpoint if _answers(endpoint) else None


def stop(state_dir: Path, *, timeout: float = 30) -> bool:
    """End the emulator of a state directory, and wait until its process is gone.

    Returns:
        Whether there was one.

    Raises:
        TimeoutError: It did not end; it was killed. Or it lives and does not say which process it is.
    """
    deadline = time.monotonic() + timeout
    endpoint = next((found for _ in _looks(state_dir, deadline) if (found := find(state_dir))), None)
    if endpoint is None:
        if _lives(state_dir):
            raise TimeoutError(f"the emulator in {state_dir} lives and does not answer")
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(endpoint.pid, signal.SIGTERM)
    with (state_dir / LOCK_NAME).open("wb") as file:
        if not wait_for_lock(file, deadline):
            os.kill(endpoint.pid, signal.SIGKILL)
            raise TimeoutError(
                f"the emulator in {state_dir} did not end within {timeout:g} s, and was killed"
            )
    return True


def ask(
    url: str, method: str, path: str, body: JSONValue = None, *, headers: Mapping[str, str] | None = None
) -> JSONValue:
    """Send a request to ``/_wpfsm/<path>``, directly: no proxy setting applies to loopback.

    Raises:
        OSError: Nobody listens.
        ValueError: The emulator refuses; the message is its own.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE_SECONDS)
    with contextlib.closing(connection):
        document = None if body is None else json.dumps(body)
        connection.request(method, f"/_wpfsm/{path}", document, dict(headers or {}))
        response = connection.getresponse()
        answer: JSONValue = json.loads(response.read())
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"{method} /_wpfsm/{path}: {answer}")
        return answer


def minimal_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what an emulator may know of its starter: no credential, no Python setting, nothing of AWS."""
    kept = {
        name: value
        for name, value in environ.items()
        if (name.upper() in _PASSED_ON or name.startswith("PIP_")) and not carries_credentials(value)
    }
    return kept | {"LANG": "C.UTF-8"}


def _lives(state_dir: Path) -> bool:
    """Tell whether an emulator holds its state directory, even one that is too busy to answer."""
    try:
        with (state_dir / LOCK_NAME).open("rb") as file:
            return not try_lock(file, shared=True)
    except FileNotFoundError:
        return False


def _looks(state_dir: Path, deadline: float) -> Iterator[None]:
    """Yield once, and again for as long as an emulator lives there and the time is not over."""
    yield
    while _lives(state_dir) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        yield


def _found_busy(state_dir: Path) -> Endpoint | None:
    """Find an emulator, and put its idle end off for the caller: asking for its health alone does not."""
    found = find(state_dir)
    if found is not None:
        try:
            ask(found.url, "GET", "clock", headers=found.headers)
        except OSError:
            return None  # it ended between the two questions
    return found


def _start(state_dir: Path, options: Sequence[str], deadline: float) -> Endpoint:
    """Start an emulator, detached, and wait for the one line that it prints when it listens."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "wpfsm.adapters.emulator",
        "--port",
        "0",
        "--state",
        str(state_dir.absolute()),
    ]
    command += ["--idle-exit", str(IDLE_EXIT_SECONDS), *options]
    log = state_dir / LOG_NAME
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            cwd=state_dir,
            env=minimal_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout is not None
    with process.stdout as output:
        readable, _, _ = select.select([output], [], [], max(deadline - time.monotonic(), 0))
        listening = bool(readable and output.readline())
    endpoint = find(state_dir)
    if listening and endpoint is not None:
        # Collected when it ends, so that a long-lived starter keeps no zombie.
        threading.Thread(target=process.wait, name="emulator-wait", daemon=True).start()
        return endpoint
    process.kill()
    process.wait()
    raise EmulatorStartError(f"the emulator in {state_dir} did not start: {_tail(log)}")


def _answers(endpoint: Endpoint) -> bool:
    """Ask the emulator for its health.

    Its answer names its process, so that a stranger on the port of an emulator that ended is not taken for it.
    """
    try:
        health = ask(endpoint.url, "GET", "health")
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return isinstance(health, dict) and health.get("pid") == endpoint.pid


@contextlib.contextmanager
def _turn(state_dir: Path, deadline: float) -> Iterator[None]:
    """Hold the right to start an emulator in a directory; whoever waited finds the emulator of who was first."""
    with (state_dir / "launch.lock").open("wb") as file:
        if not wait_for_lock(file, deadline):
            raise EmulatorStartError(f"somebody else is starting the emulator in {state_dir}")
        yield


def _tail(log: Path) -> str:
    text = log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", errors="replace").strip()
    return text or "it said nothing"
