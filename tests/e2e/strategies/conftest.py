"""One emulator process for the session; each test has a folder and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_bench import Bench

from wpfsm.adapters.emulator.launch import ensure, stop

OPTIONS = ["--cold-start", "0.1", "--warm-start", "0", "--stop-grace", "1"]


@pytest.fixture(scope="session")
def strategies_emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a real emulator process."""
    state = tmp_path_factory.mktemp("strategies-emulator")
    yield ensure(state, options=OPTIONS).url
    stop(state)


@pytest.fixture
def bench(tmp_path: Path, strategies_emulator_url: str) -> Iterator[Bench]:
    """A folder to run the program in."""
    made = Bench(tmp_path, strategies_emulator_url)
    yield made
    made.end()
