"""The table of jobs."""

from __future__ import annotations

from pathlib import Path

from report_loops import Made
from report_page import SWEEP, facts_of, in_phases

from wpfsm.adapters.report.jobs import rows


def test_a_row_says_what_changed_and_how_it_is_coloured(tmp_path: Path) -> None:
    """The best one, the failed one, and the others."""
    shown = rows(facts_of(tmp_path, [*SWEEP[:2], Made({"lr": 1}, failed="cuda_oom")]))
    assert [row.tone for row in shown] == ["", "best", "failed"]
    assert [row.changed for row in shown] == ["lr=0.0001", "lr=5e-05", "lr=1"]
    assert {row.opens for row in shown} == {None}, "one phase needs no heading"


def test_the_first_job_of_each_phase_opens_it(tmp_path: Path) -> None:
    """A heading stands above it in the table."""
    shown = rows(in_phases(tmp_path, SWEEP, [1]))
    assert [row.opens and row.opens["type"] for row in shown] == ["fix", "sweep", None]
