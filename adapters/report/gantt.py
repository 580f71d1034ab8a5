"""The pool over time: a lane for each pool at a time, and below it a row for each job, over the bands of the phases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import PlotFrame, axis, band, fitting, layout, moment, text
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.lanes import lanes
from wpfsm.adapters.report.palette import Palette
from wpfsm.adapters.report.timeline import PHASES, Phase, Segment, segments
from wpfsm.fsm.records import Job
from wpfsm.fsm.units import duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LANE, _LANES, _FRAME, _SPACE = 44, 26, 62, 10
"""Pixels: of a single lane, of each of several, of what stands around the chart, and between its two parts."""
_LABELLED = 30
"""So many rows have their labels; of more, some numbers stand at the side."""
_ROW, _ROW_BELOW_LABEL = 26.0, 38.0
"""Pixels of a row with its label at the side, and of one with its label above."""
COLOURS: dict[Phase, str] = {
    "cold start": "cold",
    "warm start": "warm",
    "starting": "starting",
    "training": "training",
    "failed": "failed",
    "idle": "idle",
}


def timeline(facts: Facts, palette: Palette, frame: PlotFrame) -> go.Figure | None:
    """What the pool did, and when; None while nothing has happened."""
    from plotly.subplots import make_subplots

    found = segments(facts)
    if not found:
        return None
    banded = len(facts.phases) > 1
    in_lanes = any(job.lane for job in facts.jobs)
    lane_of = {job.number: job.lane for job in facts.jobs} if in_lanes else lanes(facts.jobs, facts.now)
    count = max(lane_of.values())
    name = "lane" if in_lanes else "pool"
    names = ["pool"] if count == 1 else [f"{name} {number}" for number in range(1, count + 1)]
    above = frame.is_narrow and len(facts.jobs) <= _LABELLED
    row = min(_ROW_BELOW_LABEL if above else _ROW, max(4.5, 780 / len(facts.jobs)))
    top, rows = max(_LANE, _LANES * count), row * len(facts.jobs)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=_SPACE / (top + _SPACE + rows),
        row_heights=[top / (top + rows), rows / (top + rows)],
    )
    for phase in PHASES:
        if mine := [segment for segment in found if segment.phase == phase]:
            pools = [names[lane_of[segment.job] - 1] for segment in mine]
            figure.add_trace(_bars(phase, mine, pools, facts, palette), row=1, col=1)
            below = _bars(phase, mine, [segment.job for segment in mine], facts, palette)
            figure.add_trace(below.update(width=0.42, offset=0.02) if above else below, row=2, col=1)
    _mark_release(figure, facts, palette)
    _draw_bands(figure, facts, found, palette, frame)
    shown = [phase for phase in PHASES if any(segment.phase == phase for segment in found)]
    figure.update_layout(
        **layout(
            palette,
            height=round(top + _SPACE + rows + _FRAME + 18 * banded),
            top=24 + 18 * banded,
            legend=[(phase, COLOURS[phase]) for phase in shown],
        ),
        barmode="overlay",
        bargap=0.28 if row > 12 else 0.1,
    )
    figure.update_xaxes(type="date", tickangle=0, nticks=frame.width // 80, **axis(palette))
    figure.update_xaxes(title={"text": "UTC", "standoff": 4}, row=2)
    figure.update_yaxes(fixedrange=True, **axis(palette, grid=False))
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], row=1)
    figure.update_yaxes(**_rows_axis(facts, frame, row, hidden=above), row=2)
    if above:
        for job in facts.jobs:
            _write_above(figure, facts, job, palette, frame)
    return figure


def _rows_axis(facts: Facts, frame: PlotFrame, row: float, *, hidden: bool) -> dict[str, object]:
    """The first job above; each has its label while there is room, then some have their number."""
    shown = facts.jobs[:: max(1, round(16 / row))]
    few = len(facts.jobs) <= _LABELLED
    return {
        "range": [facts.jobs[-1].number + 0.5, facts.jobs[0].number - 0.5],
        "showticklabels": not hidden,
        "tickmode": "array",
        "tickvals": [job.number for job in shown],
        "ticktext": [_row(facts, job, frame) if few else str(job.number) for job in shown],
    }


def _row(facts: Facts, job: Job, frame: PlotFrame) -> str:
    return f"{job.number} · {text(facts.label(job), frame.label)}"


def _write_above(figure: go.Figure, facts: Facts, job: Job, palette: Palette, frame: PlotFrame) -> None:
    """A row's label over its bar, where there is no room beside it."""
    figure.add_annotation(
        xref="x2 domain",
        x=0,
        xanchor="left",
        yref="y2",
        y=job.number - 0.02,
        yanchor="bottom",
        text=_row(facts, job, frame),
        showarrow=False,
        font={"color": palette.muted, "size": 12},
    )


def _job(facts: Facts, segment: Segment) -> Job:
    return next(job for job in facts.jobs if job.number == segment.job)


def _draw_bands(
    figure: go.Figure, facts: Facts, found: Sequence[Segment], palette: Palette, frame: PlotFrame
) -> None:
    """The time of each phase, shaded and named; nothing for a loop of one phase."""
    if len(facts.phases) < 2:
        return
    phase_of = {job.number: facts.phase(job) for job in facts.jobs}
    runs = [
        (number, list(run))
        for number, run in groupby(sorted(found, key=lambda each: each.job), lambda each: phase_of[each.job])
    ]
    begin, end = min(each.start for each in found), max(each.end for each in found)
    plot = frame.width - 60 if frame.is_narrow else frame.width - 260
    for number, run in runs:
        start, stop = min(each.start for each in run), max(each.end for each in run)
        kind = str(facts.phases[number - 1]["type"])
        figure.add_vrect(x0=moment(start), x1=moment(stop), row="all", col=1, **band(palette, number))
        label = fitting([f"{number} {kind}", str(number)], plot * (stop - start) / ((end - begin) or 1.0))
        if label:
            figure.add_annotation(
                x=moment((start + stop) / 2),
                y=1.0,
                yref="paper",
                yanchor="bottom",
                showarrow=False,
                text=label,
                hovertext=f"phase {number}: {kind}",
                font={"color": palette.muted, "size": 12},
            )


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
        yshift=18 if len(facts.phases) > 1 else 0,
        xanchor="right",
        showarrow=False,
        text="released, read back",
        font={"color": palette.warm, "size": 12},
    )


def _bars(
    phase: Phase, found: Sequence[Segment], rows: Sequence[str | int], facts: Facts, palette: Palette
) -> go.Bar:
    import plotly.graph_objects as go

    return go.Bar(
        orientation="h",
        name=phase,
        base=[moment(segment.start) for segment in found],
        x=[segment.seconds * 1000 for segment in found],
        y=rows,
        customdata=[_hover(segment, _job(facts, segment), facts) for segment in found],
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "color": getattr(palette, COLOURS[phase]),
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
