"""Where the program runs in this process."""

from __future__ import annotations

from pathlib import Path

import pytest


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
