"""Settings of the whole suite, and a place to run the real program in: one emulator process serves the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_bench import BROKEN, NO_ROOM, OK, Bench, InProcess
from hypothesis import HealthCheck, settings

from wpfsm.adapters.emulator.launch import ensure, stop

# Nothing is timed: a slow machine fails nobody.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def sagemaker_emulator_options() -> list[str]:
    """One emulator serves the session: jobs start at once, and one that is stopped ends at once."""
    return ["--cold-start", "0.1", "--warm-start", "0", "--stop-grace", "1"]


OPTIONS = ["--cold-start", "0.2", "--warm-start", "0", "--stop-grace", "0.5", "--quota", f"{NO_ROOM}=0"]


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of the session's emulator, a real process."""
    state = tmp_path_factory.mktemp("emulator")
    yield ensure(state, options=OPTIONS).url
    stop(state)


@pytest.fixture
def bench(tmp_path: Path, emulator_url: str) -> Iterator[Bench]:
    """A folder to run the program in."""
    made = Bench(tmp_path, emulator_url)
    yield made
    made.end()


@pytest.fixture
def alone(tmp_path: Path) -> Bench:
    """A folder to run the program in, without any endpoint."""
    return InProcess(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, emulator_url: str) -> Bench:
    """A database with a sweep that is done (``sweep``) and a loop that waits in a hand-off (``broken``)."""
    made = Bench(tmp_path_factory.mktemp("finished"), emulator_url)
    assert made.run("start", made.loop("sweep", OK)).code == 0
    assert made.run("start", made.loop("broken", BROKEN)).code == 10
    return InProcess(made.folder, made.url)
