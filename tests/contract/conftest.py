"""The endpoint under contract: the emulator in this process, as a process, or the real service.

WPFSM_CONTRACT_AWS=1 points the suite at the account of the environment's credentials. That starts real
instances and costs money; it needs WPFSM_CONTRACT_ROLE, WPFSM_CONTRACT_IMAGE (an image with bash) and
WPFSM_CONTRACT_OUTPUT (an S3 prefix).
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from contract_world import World, real_aws, script

from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import ScriptedRunner
from wpfsm.adapters.emulator.wsgi_transport import client_session

PRICE_WARNING = (
    "WPFSM_CONTRACT_AWS=1: {} tests against REAL AWS. Each starts one to six short jobs on ml.m5.large"
    " (0.115 USD an hour and instance when last read) and keeps pools until it has released them."
)
ON_AWS = os.environ.get("WPFSM_CONTRACT_AWS") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what costs money, and warn before it is spent."""
    contract = [item for item in items if Path(__file__).parent in item.path.parents]
    if not ON_AWS or not contract:
        return
    for item in contract:
        item.add_marker(pytest.mark.aws)
    config.get_terminal_writer().line(PRICE_WARNING.format(len(contract)), yellow=True)


class Relay:
    """A WSGI application that stays while the emulator behind it changes: clients take long to make."""

    def __init__(self) -> None:
        self.emulator: Emulator | None = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        assert self.emulator is not None
        return self.emulator.app(environ, start_response)


@pytest.fixture(scope="session")
def relay() -> tuple[Relay, boto3.Session, Any]:
    relay = Relay()
    session = client_session(relay, "us-east-1")
    return relay, session, functools.cache(session.client)


def in_process(relay: tuple[Relay, boto3.Session, Any]) -> Iterator[World]:
    application, session, client = relay
    application.emulator = emulator = Emulator(runner=ScriptedRunner(script))
    yield World(session, client, pause=lambda: emulator.advance(5), patience=20, emulator=emulator)
    emulator.close()


def as_process(state: Path) -> Iterator[World]:
    command = [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", str(state)]
    quick = ["--cold-start", "0.2", "--warm-start", "0.05", "--stop-grace", "0.5"]
    with subprocess.Popen([*command, *quick], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        session = boto3.Session("123456789012", "none", region_name="us-east-1")
        client = functools.cache(lambda name: session.client(name, endpoint_url=url))
        client("s3").create_bucket(Bucket="contract-output")
        nap = functools.partial(process.poll)
        yield World(session, client, pause=nap, patience=20)
        process.send_signal(signal.SIGTERM)


@pytest.fixture
def endpoint(relay: tuple[Relay, boto3.Session, Any]) -> Iterator[World]:
    """The emulator in this process, or the real service."""
    yield from real_aws() if ON_AWS else in_process(relay)


@pytest.fixture(params=["in-process", "process"])
def each_endpoint(
    request: pytest.FixtureRequest, relay: tuple[Relay, boto3.Session, Any], tmp_path: Path
) -> Iterator[World]:
    """The emulator in this process and, in another run of the test, as a process; or the real service once."""
    if ON_AWS:
        if request.param == "process":
            pytest.skip("the real service is one endpoint")
        yield from real_aws()
    else:
        yield from in_process(relay) if request.param == "in-process" else as_process(tmp_path)
