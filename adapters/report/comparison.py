"""This loop against the same jobs with every start cold: seconds and dollars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wpfsm.adapters.report.axes import CHARACTER, PlotFrame, axis, layout
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.palette import Palette
from wpfsm.fsm.costs.job_cost import bill
from wpfsm.fsm.units import duration, usd

if TYPE_CHECKING:
    import plotly.graph_objects as go

_UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def cost(facts: Facts, palette: Palette, frame: PlotFrame) -> go.Figure | None:
    """Dollars of this loop against the same jobs cold."""
    ledger = facts.ledger
    rate = ledger.price_per_hour
    if rate is None or ledger.cost_usd is None or not ledger.jobs:
        return None
    training = bill(ledger.billable_seconds or 0.0, rate)
    installing, uploading = (bill(spent, rate, facts.instances) for spent in _around(facts))
    scripts = max(0.0, training - installing - uploading)
    idle = bill(ledger.retained_seconds or 0.0, rate)
    parts: dict[str, tuple[str, float, float]] = {
        "installing": ("install", installing, installing),
        "training": ("training", scripts, scripts),
        "uploading": ("upload", uploading, uploading),
        "idle pool": ("idle", idle, 0.0),
    }
    if ledger.bill_provisioning:
        warm = max(0.0, ledger.cost_usd - training - idle)
        parts["starting"] = ("cold", warm, max(0.0, (ledger.cold.cost_usd or 0.0) - training))
    parts = {name: part for name, part in parts.items() if part[1] or part[2] or name == "training"}
    return _comparison(parts, palette, frame, usd, "USD", ledger.cost_usd, ledger.cold.cost_usd)


def wall_time(facts: Facts, palette: Palette, frame: PlotFrame) -> go.Figure | None:
    """Seconds of this loop against the same jobs cold."""
    ledger = facts.ledger
    wall, cold = ledger.wall_seconds, ledger.cold.wall_seconds
    if wall is None or cold is None or not ledger.jobs or wall <= 0:
        return None
    starting = ledger.startup_seconds or 0.0
    training = sum(line.training_seconds or 0.0 for line in ledger.jobs)
    rest = max(0.0, wall - starting - training)
    installing, uploading = _around(facts)
    scripts = max(0.0, training - installing - uploading)
    parts = {
        "starting": ("cold", starting, starting + cold - wall),
        "installing": ("install", installing, installing),
        "training": ("training", scripts, scripts),
        "uploading": ("upload", uploading, uploading),
        "between jobs": ("idle", rest, rest),
    }
    parts = {name: part for name, part in parts.items() if part[1] or part[2] or name == "training"}
    most = max(wall, cold)
    unit, size = next(((u, s) for u, s in _UNITS if most >= 3 * s), _UNITS[-1])
    return _comparison(parts, palette, frame, duration, unit, wall, cold, size)


def _around(facts: Facts) -> tuple[float, float]:
    """Seconds of installation and of upload, which the service counts as training."""
    return facts.ledger.install_seconds or 0.0, facts.ledger.upload_seconds or 0.0


def _comparison(
    parts: Mapping[str, tuple[str, float, float]],
    palette: Palette,
    frame: PlotFrame,
    spell: Callable[[float | None], str],
    unit: str,
    ours: float,
    cold: float | None,
    size: float = 1.0,
) -> go.Figure:
    """Two stacked bars, in units of ``size``; the exact figures stand beside them and in the hovers."""
    import plotly.graph_objects as go

    bars = ["cold" if frame.is_narrow else "the same jobs cold", "this loop"]
    figure = go.Figure()
    for name, (color, warm_value, cold_value) in parts.items():
        figure.add_trace(
            go.Bar(
                orientation="h",
                name=name,
                y=bars,
                x=[cold_value / size, warm_value / size],
                marker={"color": getattr(palette, color), "line": {"width": 0}},
                customdata=[spell(cold_value), spell(warm_value)],
                hovertemplate=name + ": %{customdata}<extra></extra>",
            )
        )
    # Parts that the service rounds to whole seconds may add up to more than the whole.
    ends = [sum(then for _, _, then in parts.values()), sum(now for _, now, _ in parts.values())]
    for bar, total, end in zip(bars, (cold, ours), ends, strict=True):
        figure.add_annotation(
            x=max(total or 0.0, end) / size,
            y=bar,
            text=f" {spell(total)}",
            showarrow=False,
            xanchor="left",
            font={"color": palette.ink, "size": 13},
        )
    most = max(ours, cold or 0.0, *ends) or 1.0
    figure.update_layout(
        **layout(palette, height=170, top=6, legend=[(name, color) for name, (color, *_) in parts.items()]),
        barmode="stack",
        bargap=0.42,
    )
    # A pair of charts stands side by side on a wide page: each has half of it, less the labels of its bars.
    plot = frame.width - 75 if frame.is_narrow else 250
    beside = CHARACTER * (2 + max(len(spell(total)) for total in (cold, ours)))
    figure.update_xaxes(
        title={"text": unit},
        range=[0, most / size * plot / (plot - beside)],
        nticks=5,
        tickangle=0,
        fixedrange=True,
        **axis(palette),
    )
    figure.update_yaxes(fixedrange=True, **axis(palette, grid=False))
    return figure
