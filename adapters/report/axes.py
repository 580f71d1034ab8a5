"""What every chart has in common: its frame, its axes, and text that Plotly may show."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wpfsm.adapters.report.palette import Palette
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.records import JSON

LOG_SPAN = 30.0
"""Values that span more than this factor are drawn on a logarithmic axis."""
CHARACTER = 7.0
"""Pixels of a character at the size of an axis, at most as fonts go: a label that is laid out with it fits."""
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class PlotFrame:
    """The room that a chart has. The page picks the figure of its own width.

    Attributes:
        name: As the page asks for it.
        width: Pixels of the narrowest chart that is drawn with it.
        label: Characters of a label at the side of a chart.
    """

    name: str
    width: int
    label: int

    @property
    def is_narrow(self) -> bool:
        """Whether labels stand above what they name, and small charts under one another."""
        return self.width < 500


NARROW = PlotFrame("narrow", width=310, label=33)
WIDE = PlotFrame("wide", width=640, label=36)


def layout(
    palette: Palette, *, height: int, top: int = 24, legend: Sequence[tuple[str, str]] = ()
) -> dict[str, object]:
    """The frame of a chart, in pixels; the page shows through it.

    Args:
        palette: The theme.
        height: Of the whole.
        top: Of what stands above the axes.
        legend: What each colour means: the name and the colour's own name. The page prints it: text that wraps
            at any width, and that Plotly would lay over its neighbours.
    """
    return {
        "height": height,
        "showlegend": False,
        "meta": {"legend": [list(entry) for entry in legend]},
        "margin": {"l": 8, "r": 16, "t": top, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 13, "color": palette.ink},
        "hoverlabel": {
            "align": "left",
            "bgcolor": palette.card,
            "bordercolor": palette.line,
            "font": {"color": palette.ink},
        },
        "template": "none",
    }


def axis(palette: Palette, *, grid: bool = True, size: int = 12) -> dict[str, object]:
    """An axis in the colours of the page."""
    return {
        "automargin": True,
        "showgrid": grid,
        "gridcolor": palette.grid,
        "zeroline": False,
        "title_font": {"color": palette.muted, "size": 12},
        "linecolor": palette.line,
        "tickcolor": palette.line,
        "tickfont": {"color": palette.muted, "size": size},
    }


def band(palette: Palette, number: int) -> dict[str, object]:
    """The ground under a phase: every second one is shaded."""
    return {
        "fillcolor": palette.muted,
        "opacity": 0.10 if number % 2 else 0.03,
        "line_width": 0,
        "layer": "below",
    }


def fitting(words: Sequence[str], pixels: float) -> str:
    """The first of these, the longest first, that fits; empty when none does."""
    return next((each for each in words if len(each) * CHARACTER + 6 <= pixels), "")


def padded(values: Sequence[float]) -> dict[str, object]:
    """An axis as :func:`scale` chooses it, with room above and below for the figures beside the points."""
    chosen = scale(values)
    places = [math.log10(value) for value in values] if chosen["type"] == "log" else list(values)
    room = 0.14 * (max(places) - min(places)) or abs(places[0]) * 0.1 or 1.0
    return {**chosen, "range": [min(places) - room, max(places) + room]}


def moment(at: float) -> str:
    """A moment as Plotly's date axes take it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def number(value: JSON) -> float | None:
    """A number of a row; None for anything else."""
    return float(value) if isinstance(value, int | float) else None


def text(text: str, most: int = 60) -> str:
    """The user's words for a chart: Plotly reads a subset of HTML wherever it shows text."""
    words = redact(text)
    return html.escape(words if len(words) <= most else words[: most - 1] + "…", quote=False)


def scale(values: Sequence[float]) -> dict[str, object]:
    """A logarithmic axis where the values call for it."""
    low, high = min(values), max(values)
    if low <= 0 or high / low < LOG_SPAN:
        return {"type": "linear"}
    return {"type": "log", "dtick": 1, "exponentformat": "power"}
