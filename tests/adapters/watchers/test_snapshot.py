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


def test_what_is_left_is_told_from_the_trials_that_are_over(idle: tuple[Loop, list[Job], list[Trial]]):
    """Of three trials one is over, which took as long as its job; nothing is said before the first and after the last."""
    loop, jobs, trials = idle
    look = snapshot(loop, jobs, trials, BEGAN + 570)
    assert jobs[0].ended_at is not None
    assert jobs[0].created_at is not None
    took = jobs[0].ended_at - jobs[0].created_at
    assert look.left(3, BEGAN + 570) == pytest.approx(2 * took)
    assert look.left(1, BEGAN + 570) is None
    assert look.left(None, BEGAN + 570) is None
    assert snapshot(loop, [], [], BEGAN).left(3, BEGAN) is None
