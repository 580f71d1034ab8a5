"""Where the program runs in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from team import Team

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs; no endpoint is named here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WPFSM_DB", str(tmp_path / "wpfsm.db"))
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print('loss=0.5')\n")
    return tmp_path


@pytest.fixture
def team(folder: Path, sagemaker_emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A table that the verb has deployed, at an endpoint that does not run its functions."""
    made = Team(folder, sagemaker_emulator, monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", sagemaker_emulator.url)
    made.deploy()
    return made
