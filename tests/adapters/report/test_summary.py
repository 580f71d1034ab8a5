"""What the page says beside its charts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_loops import Made
from report_page import SWEEP, Page, facts_of, in_phases

from wpfsm.adapters.report import render
from wpfsm.adapters.report.axes import WIDE
from wpfsm.adapters.report.figures import figures
from wpfsm.adapters.report.palette import LIGHT
from wpfsm.adapters.report.summary import tiles
from wpfsm.adapters.report.timeline import segments


def test_a_failed_job_is_told_from_a_completed_one(tmp_path: Path):
    """A failure has its own phase in the timeline, its mark above the metric and its card."""
    failed = Made({"lr": 1.0}, failed="cuda_oom", evidence=["CUDA out of memory"], training=14)
    facts = facts_of(tmp_path, [failed, *SWEEP])
    assert [s.phase for s in segments(facts)].count("failed") == 1
    assert "job 1: cuda_oom" in json.dumps(figures(facts, LIGHT, WIDE)["metric"])
    text = Page(render(facts)).text
    assert "Job 1: cuda_oom" in text
    assert "CUDA out of memory" in text


def test_a_loop_that_is_not_released_says_so(tmp_path: Path):
    """An open obligation is on the page with the command that discharges it."""
    text = Page(render(facts_of(tmp_path, SWEEP, outcome=None))).text
    assert "Not yet released" in text
    assert "wpfsm release made-00c0de" in text
    assert "Every pool was released" not in text


@pytest.mark.parametrize(("left", "said"), [(60, "is held until"), (-60, "was held until")])
def test_a_hold_that_is_over_is_not_called_held(tmp_path: Path, left: float, said: str):
    """The page of an open hand-off says whether its pool may still be there."""
    facts = facts_of(tmp_path, SWEEP, outcome=None)
    waiting = replace(
        facts, loop=replace(facts.loop, handoff={"job": "made-00c0de-003"}, hold_until=facts.now + left)
    )
    text = Page(render(waiting)).text
    assert f"The pool {said}" in text
    assert ("starts cold" in text) == (left < 0)


def test_the_share_that_trained_is_said_with_what_the_rest_went_into(tmp_path: Path):
    """300 s of training of which 7 s were installation and upload, and 20 s idle, three times."""
    facts = in_phases(tmp_path, [Made({"n": n}, metric=1.0, training=300) for n in range(3)], [1])
    trained = next(tile for tile in tiles(facts) if tile.name == "trained")
    assert trained.value == f"{293 / 320:.0%}"
    assert trained.more == "of the billed seconds; install 2%, upload 1%, idle 6%"
    assert sum(share for _, share in trained.parts) == pytest.approx(1)


def test_a_share_that_is_not_known_is_bounded(tmp_path: Path):
    """A log that does not say when its script began leaves the installation in the share, and that is said."""
    trained = next(tile for tile in tiles(facts_of(tmp_path, SWEEP[:1])) if tile.name == "trained")
    assert trained.value == f"≤ {300 / 370:.0%}"
    assert "installation included" in trained.more
