"""What is at stake at a moment of a loop."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_loops import BEGAN

from wpfsm.adapters.watchers.snapshot import snapshot
from wpfsm.fsm.records import Job, Loop, State, Trial


def test_the_worst_case_is_that_of_the_moment(idle: tuple[Loop, list[Job], list[Trial]]):
    """Between jobs the keep-alive is at stake, during a job its longest run as well, after the end nothing."""
    loop, jobs, trials = idle
    between = snapshot(loop, jobs, trials, BEGAN + 570)
    during = snapshot(loop, [replace(jobs[0], status="InProgress", ended_at=None)], trials, BEGAN + 400)
    assert between.worst_usd == pytest.approx(600 / 3600 * 2.8)
    assert during.worst_usd == pytest.approx((600 + 2700) / 3600 * 2.8)
    assert snapshot(replace(loop, state=State.CLOSED), jobs, trials, BEGAN + 570).worst_usd == 0.0
