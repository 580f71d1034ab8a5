"""The page's charts, as Plotly figures in JSON.

Built once for each palette and each width: a figure carries its colours and its labels with it, and the page
merely picks one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from wpfsm.adapters.report.axes import PlotFrame
from wpfsm.adapters.report.comparison import cost, wall_time
from wpfsm.adapters.report.curves import curves
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.gantt import timeline
from wpfsm.adapters.report.metrics import metric_by_job
from wpfsm.adapters.report.palette import Palette
from wpfsm.adapters.report.parameters import metric_by_parameter
from wpfsm.fsm.records import JSON


def figures(facts: Facts, palette: Palette, frame: PlotFrame) -> dict[str, Mapping[str, JSON]]:
    """Each chart that there is something to show in, by the id of its place in the page."""
    made = {
        "timeline": timeline(facts, palette, frame),
        "metric": metric_by_job(facts, palette),
        "curves": curves(facts, palette, frame),
        "parameters": metric_by_parameter(facts, palette, frame),
        "cost": cost(facts, palette, frame),
        "time": wall_time(facts, palette, frame),
    }
    return {name: json.loads(figure.to_json()) for name, figure in made.items() if figure is not None}
