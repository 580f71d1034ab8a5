"""Pools that live at the same time are lanes."""

from __future__ import annotations

from pathlib import Path

from report_page import SWEEP, facts_of, in_lanes

from wpfsm.adapters.report.lanes import lanes


def test_one_pool_after_another_is_one_lane(tmp_path: Path) -> None:
    """A loop of one pool, lost and made anew or not, is drawn in a row."""
    facts = facts_of(tmp_path, SWEEP)
    assert lanes(facts.jobs, facts.now) == {1: 1, 2: 1, 3: 1}


def test_jobs_that_run_at_once_stand_in_lanes_and_follow_their_pool(tmp_path: Path) -> None:
    """A job stands where the job stood whose pool it took over."""
    facts = in_lanes(tmp_path, [*SWEEP, *SWEEP])
    assert lanes(facts.jobs, facts.now) == {1: 1, 2: 2, 3: 1, 4: 2, 5: 1, 6: 2}
