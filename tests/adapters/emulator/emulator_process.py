"""An emulator as a process of its own, for the tests that need one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from emulator_requests import authorization

PATIENCE = 90.0


@dataclass
class Process:
    """A running emulator."""

    popen: subprocess.Popen[str]
    url: str
    state: Path

    def client(self, service: str, region: str = "us-east-1", account: str = "123456789012") -> Any:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
        session = boto3.Session(account, "none", region_name=region)
        return session.client(service, endpoint_url=self.url, config=config)

    def get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/_wpfsm/{path}", timeout=PATIENCE) as answer:
            return dict(json.load(answer))

    def send(self, operation: str, request: object) -> dict[str, Any]:
        """Send a SageMaker request without a client, which takes long to make."""
        headers = {"X-Amz-Target": f"SageMaker.{operation}", "Authorization": authorization("sagemaker")}
        data = json.dumps(request).encode()
        with urllib.request.urlopen(
            urllib.request.Request(self.url, data, headers), timeout=PATIENCE
        ) as answer:
            return dict(json.load(answer))

    def kill(self) -> None:
        """End it the hard way."""
        self.popen.kill()
        self.popen.wait(PATIENCE)


@contextlib.contextmanager
def emulator_process(
    state: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Start an emulator on a free port; it is stopped by SIGTERM if it still runs at the end."""
    command = [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", str(state), *options]
    variables = {"PATH": os.environ["PATH"], "HOME": str(state), **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as popen:
        assert popen.stdout is not None
        url = popen.stdout.readline().strip()
        assert url, popen.poll()
        watchdog = threading.Timer(3 * PATIENCE, popen.kill)
        watchdog.start()
        try:
            yield Process(popen, url, state)
        finally:
            if popen.poll() is None:
                popen.send_signal(signal.SIGTERM)
            popen.wait(PATIENCE)
            watchdog.cancel()


def until(holds: Any, describe: Any) -> Any:
    """Ask again until something holds of the answer."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        if holds(answer := describe()):
            return answer
        pause.wait(0.02)
    raise AssertionError(answer)
