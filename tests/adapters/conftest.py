"""Fixtures: a place to run the real program in, against an emulator process of this suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_bench import Bench

from wpfsm.adapters.emulator.launch import ensure, stop


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an emulator, a real process."""
    state = tmp_path_factory.mktemp("emulator")
    yield ensure(state, options=["--cold-start", "0.2", "--warm-start", "0", "--stop-grace", "0.5"]).url
    stop(state)


@pytest.fixture
def bench(tmp_path: Path, emulator_url: str) -> Iterator[Bench]:
    """A folder to run the program in."""
    made = Bench(tmp_path, emulator_url)
    yield made
    made.end()
