"""The metric, job by job.

The line joins what completed: a value that a job printed before it failed or was stopped was measured at another
point of its training, and stands beside the line by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import axis, band, layout, padded, text
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.palette import Palette
from wpfsm.adapters.report.words import number
from wpfsm.fsm.records import Job

if TYPE_CHECKING:
    import plotly.graph_objects as go

Measured = Sequence[tuple[Job, float]]


def metric_by_job(facts: Facts, palette: Palette) -> go.Figure | None:
    """The metric of each job, the best so far as a line, the failures above; None for fewer than two values."""
    import plotly.graph_objects as go

    measured = [(job, value) for job in facts.jobs if (value := facts.value(job)) is not None]
    if len(measured) < 2:
        return None
    smoke = {trial.number for trial in facts.trials if trial.smoke}
    counted = [
        (job, value) for job, value in measured if job.status == "Completed" and job.trial not in smoke
    ]
    aside = [entry for entry in measured if entry not in counted]
    figure = go.Figure()
    if len(counted) > 1 and facts.goal:
        figure.add_trace(_best_so_far(counted, facts.goal, palette))
    if counted:
        figure.add_trace(_line(counted, facts, palette))
    if aside:
        figure.add_trace(_aside(aside, facts, palette))
    for job in facts.jobs:
        if job.diagnosis is not None and facts.value(job) is None:
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
    _draw_bands(figure, facts, palette)
    legend = [
        (text(facts.metric), "training"),
        *([("best so far", "best")] if len(counted) > 1 and facts.goal else []),
        *([("not completed", "failed")] if aside or any(job.diagnosis for job in facts.jobs) else []),
    ]
    figure.update_layout(
        **layout(palette, height=300, top=44 if len(facts.phases) > 1 else 24, legend=legend)
    )
    few = len(facts.jobs) <= 20
    figure.update_xaxes(
        title={"text": "job"},
        range=[0.5, len(facts.jobs) + 0.5],
        tickangle=0,
        **({"dtick": 1} if few else {}),
        **axis(palette, grid=False),
    )
    figure.update_yaxes(
        title={"text": text(facts.metric), "standoff": 10},
        **padded([value for _, value in measured]),
        **axis(palette),
    )
    return figure


def _best_so_far(counted: Measured, goal: str, palette: Palette) -> go.Scatter:
    import plotly.graph_objects as go

    choose = min if goal == "minimize" else max
    return go.Scatter(
        x=[job.number for job, _ in counted],
        y=[choose(value for _, value in counted[: i + 1]) for i in range(len(counted))],
        mode="lines",
        name="best so far",
        line={"shape": "hv", "color": palette.best, "width": 2, "dash": "dot"},
        hoverinfo="skip",
    )


def _line(counted: Measured, facts: Facts, palette: Palette) -> go.Scatter:
    """What completed; the best is a star with its figure."""
    import plotly.graph_objects as go

    jobs = [job for job, _ in counted]
    first, last = facts.jobs[0].number, facts.jobs[-1].number
    middle = "bottom" if facts.goal == "minimize" else "top"
    sides = {first: "right", last: "left"} if last > first else {}
    return go.Scatter(
        x=[job.number for job in jobs],
        y=[value for _, value in counted],
        mode="lines+markers+text" if len(jobs) <= 40 else "markers+text",
        name=text(facts.metric),
        line={"color": palette.training, "width": 1.5},
        marker={
            "size": [15 if facts.is_best(job) else 9 for job in jobs],
            "symbol": ["star" if facts.is_best(job) else "circle" for job in jobs],
            "color": [palette.best if facts.is_best(job) else palette.training for job in jobs],
            "opacity": 1,
        },
        text=[number(value) if facts.is_best(job) else "" for job, value in counted],
        textposition=[f"{middle} {sides.get(job.number, 'center')}" for job in jobs],
        textfont={"color": palette.best, "size": 13},
        cliponaxis=False,
        customdata=[text(facts.label(job)) for job in jobs],
        hovertemplate="job %{x}<br>%{customdata}<br><b>%{y:.6g}</b><extra></extra>",
    )


def _aside(aside: Measured, facts: Facts, palette: Palette) -> go.Scatter:
    """What was measured of jobs that failed, were stopped, or were a smoke run: points, and no line."""
    import plotly.graph_objects as go

    return go.Scatter(
        x=[job.number for job, _ in aside],
        y=[value for _, value in aside],
        mode="markers",
        name="not completed",
        marker={
            "size": 9,
            "symbol": ["circle-open" if job.status == "Completed" else "x-thin-open" for job, _ in aside],
            "color": [palette.training if job.status == "Completed" else palette.failed for job, _ in aside],
            "line": {"width": 2},
            "opacity": 1,
        },
        cliponaxis=False,
        customdata=[
            ": ".join(
                [text(job.diagnosis.class_) if job.diagnosis else job.status.lower(), text(facts.label(job))]
            )
            for job, _ in aside
        ],
        hovertemplate="job %{x}<br>%{customdata}<br><b>%{y:.6g}</b><extra></extra>",
    )


def _draw_bands(figure: go.Figure, facts: Facts, palette: Palette) -> None:
    """The jobs of each phase, shaded and numbered; nothing for a loop of one phase."""
    if len(facts.phases) < 2:
        return
    for phase, run in groupby(facts.jobs, facts.phase):
        jobs = [job.number for job in run]
        figure.add_vrect(x0=jobs[0] - 0.5, x1=jobs[-1] + 0.5, **band(palette, phase))
        figure.add_annotation(
            x=(jobs[0] + jobs[-1]) / 2,
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=20,
            text=str(phase),
            showarrow=False,
            hovertext=f"phase {phase}: {facts.phases[phase - 1]['type']}",
            font={"color": palette.muted, "size": 12},
        )
