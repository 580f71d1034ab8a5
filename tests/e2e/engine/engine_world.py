"""A team's engine on this machine: the emulator, AWS's local control plane, and a process for each invocation."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.engine import bundle
from wpfsm.adapters.engine.place import Place, client_of, connect
from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs import deploy

ROLE = "arn:aws:iam::123456789012:role/Train"
REGION, TABLE, BUCKET = "us-east-1", "wpfsm", "wpfsm-shared"
URL = f"dynamodb://{REGION}/{TABLE}"
KEYS = {"AWS_ACCESS_KEY_ID": "wpfsm-local", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
HERE = Path(__file__).parent


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.closing(socket.create_connection(("127.0.0.1", port))):
        return True


def wait_for(what: Callable[[], Any], seconds: float = 60, why: str = "") -> Any:
    """Poll until it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if found := what():
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {why or what}")


class EngineWorld:
    """The processes, and the commands that a user gives.

    Args:
        folder: For everything that they write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers = folder / "workers"
        self.workers.mkdir(parents=True)
        self._stack = contextlib.ExitStack()
        emulator, runner, host = free_port(), free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{emulator}"
        self.env = {
            **os.environ, **KEYS, "AWS_ENDPOINT_URL": self.endpoint, "WPFSM_DB": URL, "WPFSM_NAP": "1",
            "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{host}", "XDG_STATE_HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
        }  # fmt: skip
        (folder / "tmp").mkdir()
        self._spawn("-m", "wpfsm.cli", "emulator", "--port", str(emulator), "--state", str(folder / "emulator"),
                    "--cold-start", "1", "--warm-start", "0", "--stop-grace", "1")  # fmt: skip
        self._spawn("-m", "aws_durable_execution_sdk_python_testing.cli", "start-server", "--port", str(runner),
                    "--host", "127.0.0.1", "--store-type", "sqlite", "--store-path", str(folder / "runner.db"),
                    "--lambda-endpoint", f"http://127.0.0.1:{host}", "--local-runner-endpoint",
                    f"http://127.0.0.1:{host}", "--local-runner-region", REGION)  # fmt: skip
        self._spawn(str(HERE / "lambda_host.py"), str(host), f"http://127.0.0.1:{runner}", str(self.workers))
        for port, what in ((runner, "the runner"), (emulator, "the emulator"), (host, "the host")):
            wait_for(lambda port=port: _answers(port), why=what)  # type: ignore[misc]
        self._deploy()

    def _deploy(self) -> None:
        """As a user does; what pip would fetch for the function's platform is of use only to ``make engine-check``."""
        os.environ.update({name: self.env[name] for name in (*KEYS, "AWS_ENDPOINT_URL_LAMBDA")})
        clients = Clients(Target(REGION, self.endpoint, local=True))
        client_of(clients, "s3").create_bucket(Bucket=BUCKET)
        pip = bundle._install if os.environ.get("WPFSM_ENGINE") == "full" else lambda _: None
        with mock.patch.object(bundle, "_install", pip):
            given = Options("none", self.folder / "unused.db", self.endpoint)
            deploy.deploy(given, name=TABLE, role=ROLE, region=REGION, print_template=False, remove=False)

    def _spawn(self, *words: str) -> None:
        code = words if words[0] != "-m" or "testing" not in words[1] else (
            "-c", "import sys; from aws_durable_execution_sdk_python_testing.cli import main; sys.exit(main())", *words[2:]
        )  # fmt: skip
        log = self._stack.enter_context((self.folder / f"{len(list(self.folder.iterdir()))}.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, *code], env=self.env, stdout=log, stderr=log, start_new_session=True
        )
        self._stack.callback(_end, process)

    @property
    def place(self) -> Place:
        """The table, as a verb opens it."""
        return connect(URL, self.endpoint)

    def wpfsm(
        self, *words: str, env: Mapping[str, str] | None = None, seconds: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """One command of a user's."""
        return subprocess.run(
            [sys.executable, "-m", "wpfsm.cli", *words], env={**self.env, **(env or {})}, text=True,
            capture_output=True, timeout=seconds, check=False, cwd=self.folder,
        )  # fmt: skip

    def start(self, file: Path) -> str:
        """Start a loop and return its id."""
        done = self.wpfsm("start", str(file), "-o", "json")
        assert done.returncode == 11, done.stdout + done.stderr
        return str(json.loads(done.stdout)["loop"]["id"])

    def inspect(self, loop_id: str) -> Any:
        """The loop's document."""
        done = self.wpfsm("inspect", loop_id, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def calls(self) -> list[Any]:
        """The emulator's record of calls."""
        with urllib.request.urlopen(f"{self.endpoint}/_wpfsm/records") as answer:
            return list(json.load(answer)["calls"])

    def kill_workers(self, times: int, *, seconds: float = 120) -> int:
        """SIGKILL the next workers, one after another, each as soon as it works; returns how many died."""
        died, deadline = 0, time.monotonic() + seconds
        while died < times and time.monotonic() < deadline:
            for note in self.workers.glob("*.pid"):
                time.sleep(1.0)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(note.stem), signal.SIGKILL)
                    died += 1
            time.sleep(0.05)
        return died

    def close(self) -> None:
        """End everything."""
        self._stack.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[EngineWorld]:
    """An engine that is there for as long as the context lasts."""
    world = EngineWorld(folder)
    try:
        yield world
    finally:
        world.close()


def main() -> None:
    """Serve an engine in the foreground, and print what a user's shell needs to use it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="wpfsm-engine-") as folder, engine(Path(folder)) as world:
        for name in (*KEYS, "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "WPFSM_DB"):
            print(f"export {name}={world.env[name]}")
        print("# an engine on this machine; Ctrl-C ends it and forgets its loops", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
