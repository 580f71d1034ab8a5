"""A loop to look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from report_loops import BEGAN, Made, write_loop

from wpfsm.fsm.records import Job, Loop, State, Trial
from wpfsm.state.database import open_existing
from wpfsm.state.history import History


@pytest.fixture
def idle(tmp_path: Path) -> tuple[Loop, list[Job], list[Trial]]:
    """A loop between two jobs: its pool idles since 70 seconds."""
    write_loop(tmp_path / "w.db", [Made({"lr": 1e-4}, metric=0.4)], outcome=None)
    history = History(open_existing(tmp_path / "w.db"))
    loop = replace(history.find("made-00c0de"), state=State.VERIFYING)
    job = replace(
        history.jobs(loop.id)[0], status="Completed", secondary_status="Completed", ended_at=BEGAN + 500,
        training_seconds=200.0, billable_seconds=200.0, pool_status="Available",
    )  # fmt: skip
    trial = replace(history.trials(loop.id)[0], state="completed")
    return loop, [job], [trial]
