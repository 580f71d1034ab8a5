"""The pools over time: a bar for the pool, or for each lane, and below them a row for each job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import LEGEND, axis, layout, moment, text
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.palette import Palette
from wpfsm.adapters.report.timeline import PHASES, Phase, Segment, segments
from wpfsm.fsm.records import Job
from wpfsm.fsm.units import duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LANE, _FRAME, _SPACE = 44, 92, 10
"""Pixels of the pool's bar, of what stands around the chart, and between its two parts."""
_MORE = 22
"""Pixels of each further lane's bar."""


def timeline(facts: Facts, palette: Palette) -> go.Figure | None:
    """What the pool did, and when; None while nothing has happened."""
    from plotly.subplots import make_subplots

    found = segments(facts)
    if not found:
        return None
    rows = [_row(facts, job) for job in facts.jobs]
    row = min(26.0, max(4.5, 460 / len(rows)))
    pools = sorted({_pool(job) for job in facts.jobs}, key=lambda name: (len(name), name))
    above = _LANE + _MORE * (len(pools) - 1)
    inner = above + _SPACE + row * len(rows)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=_SPACE / inner,
        row_heights=[above / (inner - _SPACE), row * len(rows) / (inner - _SPACE)],
    )
    for phase in PHASES:
        if mine := [segment for segment in found if segment.phase == phase]:
            bars = [_pool(_job(facts, segment)) for segment in mine]
            figure.add_trace(_bars(phase, mine, bars, facts, palette), row=1, col=1)
            labels = [_row(facts, _job(facts, segment)) for segment in mine]
            below = _bars(phase, mine, labels, facts, palette).update(showlegend=False)
            figure.add_trace(below, row=2, col=1)
    _mark_release(figure, facts, palette)
    figure.update_layout(
        **layout(palette, height=round(inner + _FRAME)),
        barmode="overlay",
        bargap=0.28 if row > 12 else 0.1,
        legend=LEGEND,
    )
    figure.update_xaxes(type="date", **axis(palette))
    figure.update_xaxes(title={"text": "UTC", "standoff": 4}, row=2)
    figure.update_yaxes(fixedrange=True, **axis(palette, grid=False, size=12 if row > 12 else 10))
    figure.update_yaxes(categoryorder="array", categoryarray=pools[::-1], row=1)
    figure.update_yaxes(categoryorder="array", categoryarray=rows[::-1], row=2)
    return figure


def _pool(job: Job) -> str:
    return f"lane {job.lane}" if job.lane else "pool"


def _row(facts: Facts, job: Job) -> str:
    return f"{job.number} · {text(facts.label(job), 30)}"


def _job(facts: Facts, segment: Segment) -> Job:
    return next(job for job in facts.jobs if job.number == segment.job)


def _mark_release(figure: go.Figure, facts: Facts, palette: Palette) -> None:
    """The moment from which the receipt speaks."""
    at = facts.loop.receipt.at if facts.loop.receipt else None
    if at is None:
        return
    figure.add_vline(x=moment(at), line={"color": palette.warm, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=moment(at),
        y=1.0,
        yref="paper",
        yanchor="bottom",
        xanchor="right",
        showarrow=False,
        text="released, read back",
        font={"color": palette.warm, "size": 12},
    )


def _bars(
    phase: Phase, found: Sequence[Segment], rows: Sequence[str], facts: Facts, palette: Palette
) -> go.Bar:
    import plotly.graph_objects as go

    color = {
        "cold start": palette.cold,
        "warm start": palette.warm,
        "starting": palette.starting,
        "training": palette.training,
        "failed": palette.failed,
        "idle": palette.idle,
    }[phase]
    return go.Bar(
        orientation="h",
        name=phase,
        legendgroup=phase,
        base=[moment(segment.start) for segment in found],
        x=[segment.seconds * 1000 for segment in found],
        y=rows,
        customdata=[_hover(segment, _job(facts, segment), facts) for segment in found],
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "color": color,
            "line": {"width": 0},
            "pattern": {
                "shape": {"idle": "/", "failed": "x"}.get(phase, ""),
                "fillmode": "overlay",
                "fgcolor": palette.card,
                "size": 6,
                "solidity": 0.25,
            },
        },
    )


def _hover(segment: Segment, job: Job, facts: Facts) -> str:
    about = "~" if segment.estimated else ""
    lines = [
        f"<b>{segment.phase}, {about}{duration(segment.seconds)}</b>",
        f"job {job.number}: {text(facts.label(job))}",
        text(segment.note),
    ]
    return "<br>".join(line for line in lines if line)
