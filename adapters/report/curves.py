"""What each job reported while it ran: one small chart for each metric, one line for each job."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import PlotFrame, axis, layout, scale, text
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.palette import Palette
from wpfsm.fsm.records import Curve, Job

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_METRICS = 6
MOST_JOBS = 20
"""Lines of a chart; the best job's and the newest ones are drawn."""


def curves(facts: Facts, palette: Palette, frame: PlotFrame) -> go.Figure | None:
    """A chart for each metric that a job reported more than once; None when none was."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    jobs = {job.number: job for job in _drawn(facts)}
    told = [curve for curve in facts.curves if curve.job in jobs and len(curve.points) > 1]
    names = list(
        dict.fromkeys([*([facts.metric] if facts.metric else []), *(curve.metric for curve in told)])
    )
    names = [name for name in names if any(curve.metric == name for curve in told)][:MOST_METRICS]
    if not names:
        return None
    columns = 1 if frame.is_narrow else min(2, len(names))
    rows = math.ceil(len(names) / columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        horizontal_spacing=0.08,
        vertical_spacing=min(0.2, 62 / (250 * rows + 30)) if rows > 1 else 0,
    )
    for index, name in enumerate(names):
        where = {"row": index // columns + 1, "col": index % columns + 1}
        shown = [curve for curve in told if curve.metric == name]
        shown.sort(key=lambda curve: facts.is_best(jobs[curve.job]))  # the best is drawn over the others
        for curve in shown:
            job = jobs[curve.job]
            best = facts.is_best(job)
            figure.add_trace(
                go.Scatter(
                    x=[at - curve.points[0][1] for _, at, _ in curve.points],
                    y=[value for _, _, value in curve.points],
                    mode="lines",
                    showlegend=False,
                    opacity=1 if best else 0.55,
                    line={"color": palette.best if best else palette.training, "width": 2.5 if best else 1.2},
                    customdata=[number for number, _, _ in curve.points],
                    hovertemplate=f"job {job.number}: {text(facts.label(job))}<br>report %{{customdata}}, "
                    "%{x:.0f} s<br><b>%{y:.6g}</b><extra></extra>",
                ),
                **where,
            )
        figure.update_xaxes(title={"text": "seconds since the first report", "standoff": 4}, **where)
        figure.update_yaxes(title={"text": text(name)}, **_scale(shown), **where)
    figure.update_layout(**layout(palette, height=250 * rows + 30, top=14))
    figure.update_xaxes(**axis(palette, grid=False))
    figure.update_yaxes(**axis(palette))
    return figure


def _drawn(facts: Facts) -> list[Job]:
    """Jobs whose lines are drawn: the best, and the newest."""
    best = [job for job in facts.jobs if facts.is_best(job)]
    newest = [job for job in facts.jobs if job not in best][-(MOST_JOBS - len(best)) :]
    return [*best, *newest]


def _scale(curves: Sequence[Curve]) -> dict[str, object]:
    values = [value for curve in curves for _, _, value in curve.points if value is not None]
    return scale(values) if values else {}
