"""The metric against each parameter."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import CHARACTER, PlotFrame, axis, layout, padded, scale, text
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.palette import Palette
from wpfsm.fsm.records import JSON, Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_PARAMETERS = 6
_FEW = {"nticks": 4, "exponentformat": "e"}
"""Ticks of a linear axis that Plotly chooses: 5e-5 as it is written in a loop file, and no 50µ."""


def metric_by_parameter(facts: Facts, palette: Palette, frame: PlotFrame) -> go.Figure | None:
    """One small chart for each parameter that took several values."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    trials = [t for t in facts.trials if t.metric is not None and t.state == "completed" and not t.smoke]
    names = _varied(trials)
    if not names:
        return None
    columns = 1 if frame.is_narrow else min(3, len(names))
    rows = math.ceil(len(names) / columns)
    height = 270 * rows + 30
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=min(0.2, 62 / height) if rows > 1 else 0.0,
    )
    best = facts.best.number if facts.best else None
    trials.sort(key=lambda trial: trial.number == best)  # the star is drawn over the others
    ys = [t.metric for t in trials if t.metric is not None]
    room = (frame.width - 60) / columns
    for index, name in enumerate(names):
        xs = [t.params.get(name) for t in trials]
        numeric = all(isinstance(x, int | float) and not isinstance(x, bool) for x in xs)
        where = {"row": index // columns + 1, "col": index % columns + 1}
        figure.add_trace(
            go.Scatter(
                x=xs if numeric else [text(x if isinstance(x, str) else json.dumps(x), 24) for x in xs],
                y=ys,
                mode="markers",
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
            title={"text": text(name), "standoff": 4}, **_axis(xs, room, numeric=numeric), **where
        )
    figure.update_layout(**layout(palette, height=height, top=14))
    figure.update_xaxes(**axis(palette, grid=False))
    figure.update_yaxes(**padded(ys), **axis(palette))
    figure.update_yaxes(title={"text": text(facts.metric), "standoff": 10}, col=1)
    return figure


def _varied(trials: Sequence[Trial]) -> list[str]:
    """Parameters that took several values, the first ones."""
    names = dict.fromkeys(name for t in trials for name in t.params)
    return [name for name in names if len({json.dumps(t.params.get(name)) for t in trials}) > 1][
        :MOST_PARAMETERS
    ]


def _axis(values: Sequence[JSON], room: float, *, numeric: bool) -> dict[str, object]:
    """The axis of a parameter: a tick at each value while they do not run into each other in ``room`` pixels."""
    if not numeric:
        return {"type": "category"}
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    distinct, scaled = sorted(set(numbers)), scale(numbers)
    places = [math.log(value) for value in distinct] if scaled["type"] == "log" else distinct
    labels = [f"{value:g}" for value in distinct]
    widest = max(len(label) for label in labels) * CHARACTER + 8
    least = (places[-1] - places[0]) * widest / (room * 0.85)
    if any(after - before < least for before, after in pairwise(places)):
        return {**scaled, "tickangle": 0, **(_FEW if scaled["type"] == "linear" else {})}
    return {
        "type": scaled["type"],
        "tickangle": 0,
        "tickmode": "array",
        "tickvals": distinct,
        "ticktext": labels,
    }
