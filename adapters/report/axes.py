"""What every chart has in common: its frame, its axes, and text that Plotly may show."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime

from wpfsm.adapters.report.palette import Palette
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.records import JSON

LOG_SPAN = 30.0
"""Values that span more than this factor are drawn on a logarithmic axis."""
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def layout(palette: Palette, *, height: int, top: int = 34) -> dict[str, object]:
    """The frame of a chart, in pixels; the page shows through it."""
    return {
        "height": height,
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
