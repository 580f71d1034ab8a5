"""Directories of jobs and caches of pools: they go when what they belong to goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from emulator_requests import training_job

from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner


def client(emulator: Emulator) -> Any:
    return emulator.session().client("sagemaker")


@pytest.mark.parametrize("keep_alive", [None, 600])
def test_job_directories_go_with_the_job(tmp_path: Path, keep_alive: int | None) -> None:
    """A pool's cache directory goes with the pool, a job's directory with the job's end."""
    with Emulator(state=tmp_path, runner=ScriptedRunner(lambda _: Script(seconds=60))) as emulator:
        sagemaker = client(emulator)
        sagemaker.create_training_job(**training_job("j", keep_alive=keep_alive))
        emulator.advance(30)
        assert list((tmp_path / "jobs").rglob("j"))
        emulator.advance(70)
        assert not list((tmp_path / "jobs").rglob("j"))
        assert bool(list(tmp_path.glob("caches/*"))) == (keep_alive is not None)
        emulator.advance(1000)
        assert not list(tmp_path.glob("caches/*"))


def test_what_a_killed_emulator_left_is_removed(tmp_path: Path) -> None:
    """Directories of jobs that it ran and caches of pools that ended; the cache of a kept pool stays."""
    with Emulator(state=tmp_path) as emulator:
        client(emulator).create_training_job(**training_job("kept"))
        emulator.advance(100)
    (kept,) = tmp_path.glob("caches/*")
    (tmp_path / "jobs" / "123456789012" / "us-east-1" / "lost" / "1" / "algo-1").mkdir(parents=True)
    (tmp_path / "caches" / "99").mkdir()
    with Emulator(state=tmp_path, clock=emulator.clock):
        assert not list(tmp_path.rglob("lost"))
        assert list(tmp_path.glob("caches/*")) == [kept]
    assert not list(tmp_path.glob("left-over-*"))
