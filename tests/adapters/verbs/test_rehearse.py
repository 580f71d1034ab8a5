"""``rehearse``: the first trial on this machine; whatever becomes of it, nothing of it stays open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_in_process import wpfsm, written

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.verbs import rehearse
from wpfsm.fsm.errors import StoreError


def test_a_rehearsal_that_ends_in_an_error_leaves_no_loop_open(
    folder: Path, sagemaker_emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its emulator goes with it, so nobody could release it later; the error is the answer all the same."""

    def fails(*_: object, lease: Any) -> int:
        lease.release()
        raise StoreError("the disk is full", fix="make room")

    monkeypatch.setattr(rehearse, "drive", fails)
    ran = wpfsm("rehearse", written(folder))
    assert (ran.code, "the disk is full" in ran.err) == (75, True)
    loops = wpfsm("inspect", "-o", "json").document["loops"]
    assert [loop["state"] for loop in loops] == ["Closed"]
