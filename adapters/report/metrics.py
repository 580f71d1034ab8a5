"""The metric: job by job, and against each parameter."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import axis, layout, scale, text
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.palette import Palette
from wpfsm.fsm.records import JSON

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_PARAMETERS = 6


def metric_by_job(facts: Facts, palette: Palette) -> go.Figure | None:
    """The metric of each job, the best so far as a line, the failures above; None for fewer than two values."""
    import plotly.graph_objects as go

    measured = [(job, value) for job in facts.jobs if (value := facts.value(job)) is not None]
    if len(measured) < 2:
        return None
    jobs = [job for job, _ in measured]
    values = [value for _, value in measured]
    figure = go.Figure()
    smoke = {trial.number for trial in facts.trials if trial.smoke}
    counted = [
        (job, value) for job, value in measured if job.status == "Completed" and job.trial not in smoke
    ]
    if len(counted) > 1 and facts.goal:
        choose = min if facts.goal == "minimize" else max
        running = [choose(v for _, v in counted[: i + 1]) for i in range(len(counted))]
        figure.add_trace(
            go.Scatter(
                x=[job.number for job, _ in counted],
                y=running,
                mode="lines",
                name="best so far",
                line={"shape": "hv", "color": palette.best, "width": 2, "dash": "dot"},
                hoverinfo="skip",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[job.number for job in jobs],
            y=values,
            mode="lines+markers+text" if len(jobs) <= 40 else "markers+text",
            name=text(facts.metric),
            line={"color": palette.training, "width": 1.5},
            marker={
                "size": [15 if facts.is_best(job) else 9 for job in jobs],
                "symbol": [
                    "star" if facts.is_best(job) else "circle-open" if job.trial in smoke else "circle"
                    for job in jobs
                ],
                "color": [palette.best if facts.is_best(job) else palette.training for job in jobs],
                "opacity": 1,
            },
            text=[f"{value:.6g}" if facts.is_best(job) else "" for job, value in measured],
            textposition="bottom center" if facts.goal == "minimize" else "top center",
            textfont={"color": palette.best, "size": 13},
            cliponaxis=False,
            customdata=[text(facts.label(job)) for job in jobs],
            hovertemplate="job %{x}<br>%{customdata}<br><b>%{y:.6g}</b><extra></extra>",
        )
    )
    for job in facts.jobs:
        if job.diagnosis is not None:
            figure.add_annotation(
                x=job.number,
                y=1,
                yref="paper",
                yanchor="bottom",
                text="✕",
                showarrow=False,
                font={"color": palette.failed, "size": 13},
                hovertext=f"job {job.number}: {text(job.diagnosis.class_)}",
            )
    figure.update_layout(**layout(palette, height=300, top=24), showlegend=False)
    few = len(facts.jobs) <= 20
    figure.update_xaxes(
        title={"text": "job"},
        range=[0.5, len(facts.jobs) + 0.5],
        **({"dtick": 1} if few else {}),
        **axis(palette, grid=False),
    )
    figure.update_yaxes(title={"text": text(facts.metric)}, **scale(values), **axis(palette))
    return figure


def metric_by_parameter(facts: Facts, palette: Palette) -> go.Figure | None:
    """One small chart for each parameter that took several values."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    trials = [t for t in facts.trials if t.metric is not None and not t.smoke]
    names = [
        name
        for name in dict.fromkeys(name for t in trials for name in t.params)
        if len({json.dumps(t.params.get(name)) for t in trials}) > 1
    ][:MOST_PARAMETERS]
    if not names:
        return None
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    figure = make_subplots(
        rows=rows, cols=columns, shared_yaxes=True, horizontal_spacing=0.05, vertical_spacing=0.2
    )
    best = facts.best.number if facts.best else None
    trials.sort(key=lambda trial: trial.number == best)  # the star is drawn over the others
    ys = [t.metric for t in trials if t.metric is not None]
    for index, name in enumerate(names):
        xs = [t.params.get(name) for t in trials]
        numeric = all(isinstance(x, int | float) and not isinstance(x, bool) for x in xs)
        where = {"row": index // columns + 1, "col": index % columns + 1}
        figure.add_trace(
            go.Scatter(
                x=xs if numeric else [text(x if isinstance(x, str) else json.dumps(x), 30) for x in xs],
                y=ys,
                mode="markers",
                showlegend=False,
                marker={
                    "size": [15 if t.number == best else 9 for t in trials],
                    "symbol": ["star" if t.number == best else "circle" for t in trials],
                    "color": [palette.best if t.number == best else palette.training for t in trials],
                    "opacity": 0.9,
                },
                customdata=[text(t.label) for t in trials],
                hovertemplate="%{customdata}<br><b>%{y:.6g}</b><extra></extra>",
            ),
            **where,
        )
        figure.update_xaxes(
            title={"text": text(name), "standoff": 4}, **_parameter_axis(xs, numeric=numeric), **where
        )
    figure.update_layout(**layout(palette, height=270 * rows + 30, top=14))
    figure.update_xaxes(**axis(palette, grid=False))
    figure.update_yaxes(**scale(ys), **axis(palette))
    figure.update_yaxes(title={"text": text(facts.metric)}, col=1)
    return figure


def _parameter_axis(values: Sequence[JSON], *, numeric: bool) -> dict[str, object]:
    if not numeric:
        return {"type": "category"}
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    distinct, scaled = sorted(set(numbers)), scale(numbers)
    places = [math.log(value) for value in distinct] if scaled["type"] == "log" else distinct
    least = (places[-1] - places[0]) / 8
    if any(after - before < least for before, after in pairwise(places)):
        return scaled  # a tick at each value would have them run into each other
    return {
        "type": scaled["type"],
        "tickmode": "array",
        "tickvals": distinct,
        "ticktext": [f"{value:g}" for value in distinct],
    }
