"""The endpoint over HTTP: many clients, and what is no HTTP."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from emulator_process import PATIENCE, emulator_process
from emulator_requests import training_job


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def entry(command: str) -> dict[str, object]:
    return {"algorithm": {"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [command]}}


def test_many_clients_at_once(state: Path) -> None:
    """Eight clients that create, list and describe at once get their own jobs and no failure."""
    with emulator_process(state, "--cold-start", "0") as process:
        clients = [process.client("sagemaker") for _ in range(8)]

        def work(number: int) -> list[str]:
            names = [f"c{number}-{i}" for i in range(5)]
            for name in names:
                clients[number].create_training_job(**training_job(name, keep_alive=None, **entry("true")))
                clients[number].list_training_jobs(MaxResults=100)
            return names

        with ThreadPoolExecutor(8) as pool:
            made = {name for names in pool.map(work, range(8)) for name in names}
        rows = clients[0].list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
        assert {row["TrainingJobName"] for row in rows} == made
        assert {call["outcome"] for call in process.get("records")["calls"]} == {"ok"}


def test_requests_that_are_no_http_do_no_harm(state: Path) -> None:
    """Garbage on the port does not end the emulator."""
    with emulator_process(state) as process:
        where = urlsplit(process.url)
        for garbage in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
            with socket.create_connection((where.hostname, where.port), PATIENCE) as connection:
                connection.sendall(garbage)
        assert process.get("health")["status"] == "ok"
