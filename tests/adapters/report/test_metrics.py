"""The line of the metric joins what can be compared."""

from __future__ import annotations

from pathlib import Path

from report_loops import Made
from report_page import SWEEP, facts_of, in_phases

from wpfsm.adapters.report.metrics import metric_by_job
from wpfsm.adapters.report.palette import LIGHT

DIED = Made({"lr": 1.0}, metric=9.9, failed="cuda_oom", training=14)


def test_a_failed_job_is_no_point_of_the_line(tmp_path: Path) -> None:
    """What it printed before it failed stands beside the line, in its own colour."""
    figure = metric_by_job(facts_of(tmp_path, [SWEEP[0], DIED, *SWEEP[1:]]), LIGHT)
    assert figure is not None
    line = next(trace for trace in figure.data if trace.name == "eval_loss")
    aside = next(trace for trace in figure.data if trace.name == "not completed")
    assert list(line.x) == [1, 3, 4]
    assert (list(aside.x), aside.mode) == ([2], "markers")


def test_each_phase_is_a_band_with_its_number(tmp_path: Path) -> None:
    """From half a job before its first to half a job after its last."""
    figure = metric_by_job(in_phases(tmp_path, SWEEP, [1]), LIGHT)
    assert figure is not None
    assert [(band.x0, band.x1) for band in figure.layout.shapes] == [(0.5, 1.5), (1.5, 3.5)]
    assert [note.text for note in figure.layout.annotations] == ["1", "2"]
