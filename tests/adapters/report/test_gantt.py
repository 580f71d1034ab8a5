"""The pool over time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report_page import SWEEP, facts_of, in_lanes, in_phases

from wpfsm.adapters.report.axes import NARROW, WIDE
from wpfsm.adapters.report.gantt import timeline
from wpfsm.adapters.report.palette import LIGHT


def test_each_pool_at_a_time_has_its_lane(tmp_path: Path) -> None:
    """Two pools at once are two bars, one under the other."""
    figure = timeline(in_lanes(tmp_path, [*SWEEP, *SWEEP]), LIGHT, WIDE)
    assert figure is not None
    assert list(figure.layout.yaxis.categoryarray) == ["pool 2", "pool 1"]
    assert {row for bar in figure.data for row in bar.y if isinstance(row, str)} == {"pool 1", "pool 2"}


def test_each_lane_of_a_group_has_its_bar(tmp_path: Path) -> None:
    """Jobs say their lane, so a job that took over a sibling's pool stays in the row of the lane that submitted it."""
    facts = in_lanes(tmp_path, [*SWEEP, *SWEEP])
    jobs = [replace(job, lane=1 + (job.number in (2, 3, 6))) for job in facts.jobs]
    figure = timeline(replace(facts, jobs=jobs), LIGHT, WIDE)
    assert figure is not None
    assert list(figure.layout.yaxis.categoryarray) == ["lane 2", "lane 1"]
    assert {row for bar in figure.data for row in bar.y if isinstance(row, str)} == {"lane 1", "lane 2"}


def test_the_label_of_a_job_stands_beside_its_bar_or_above_it(tmp_path: Path) -> None:
    """On a narrow screen there is no room beside."""
    facts = facts_of(tmp_path, SWEEP)
    wide, narrow = timeline(facts, LIGHT, WIDE), timeline(facts, LIGHT, NARROW)
    assert wide is not None
    assert narrow is not None
    labels = ["1 · lr=0.0001", "2 · lr=5e-05", "3 · lr=2e-05"]
    assert list(wide.layout.yaxis2.ticktext) == labels
    assert [note.text for note in narrow.layout.annotations if note.yref == "y2"] == labels
    assert not narrow.layout.yaxis2.showticklabels


def test_a_phase_is_a_band_that_is_named_where_its_name_fits(tmp_path: Path) -> None:
    """Of a short one the number is left, and the list below the chart has every name."""
    figure = timeline(in_phases(tmp_path, [*SWEEP, *SWEEP], [5]), LIGHT, NARROW)
    assert figure is not None
    assert {"1 fix", "2"} <= {note.text for note in figure.layout.annotations}
