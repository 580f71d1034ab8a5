"""The metric against each parameter."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_loops import Made
from report_page import SWEEP, facts_of

from wpfsm.adapters.report.axes import NARROW, WIDE, PlotFrame
from wpfsm.adapters.report.palette import LIGHT
from wpfsm.adapters.report.parameters import metric_by_parameter

TWO = [Made({"lr": 10**-n, "n": n}, metric=float(n)) for n in range(1, 4)]


@pytest.mark.parametrize(("frame", "charts"), [(WIDE, {"x", "x2"}), (NARROW, {"x", "x2"})])
def test_narrow_charts_stand_under_one_another(tmp_path: Path, frame: PlotFrame, charts: set[str]) -> None:
    """Side by side, three ticks of each would run into each other."""
    figure = metric_by_parameter(facts_of(tmp_path, TWO), LIGHT, frame)
    assert figure is not None
    assert {trace.xaxis for trace in figure.data} == charts
    lefts = {figure.layout.xaxis.domain[0], figure.layout.xaxis2.domain[0]}
    assert len(lefts) == (1 if frame is NARROW else 2)


def test_a_failed_trial_is_no_point(tmp_path: Path) -> None:
    """Its value is not that of its parameters."""
    figure = metric_by_parameter(
        facts_of(tmp_path, [*SWEEP, Made({"lr": 1.0}, metric=9.0, failed="cuda_oom")]), LIGHT, WIDE
    )
    assert figure is not None
    assert max(figure.data[0].y) == 0.61
