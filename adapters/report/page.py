"""Puts the page together: text, charts and Plotly itself in one file that asks nothing of the network.

A content security policy allows the page's own two scripts, by their hashes, and no connection of any kind:
what a training log printed stays text even where it looks like markup.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from wpfsm.adapters.report.axes import NARROW, WIDE
from wpfsm.adapters.report.experiments import experiments
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.failures import failures
from wpfsm.adapters.report.figures import figures
from wpfsm.adapters.report.jobs import rows
from wpfsm.adapters.report.palette import DARK, LIGHT
from wpfsm.adapters.report.summary import cost_note, header, loop_file, tiles, waiting
from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.records import JSON

CAPTIONS = {
    "timeline": "Each pool over time: cold and warm starts, training, idle time, and when it was released.",
    "metric": "The metric by job, with the best so far.",
    "curves": "What each job reported while it ran, one chart for each metric.",
    "parameters": "The metric by each parameter that took several values.",
    "cost": "Dollars of this loop against the same jobs cold.",
    "time": "Wall time of this loop against the same jobs cold.",
}


def render(facts: Facts) -> str:
    """The whole page.

    Raises:
        MissingExtra: Plotly or Jinja2 is not installed.
    """
    try:
        from markupsafe import Markup

        from wpfsm.adapters.report.environment import environment, own

        plotly = _plotly()
    except ImportError as error:
        raise MissingExtra("report", "wpfsm report") from error
    charts = {
        theme: {frame.name: figures(facts, palette, frame) for frame in (WIDE, NARROW)}
        for theme, palette in (("light", LIGHT), ("dark", DARK))
    }
    shown = charts["light"]["wide"]
    script = own("page.js")
    return (
        environment()
        .get_template("page.html")
        .render(
            facts=facts,
            policy=_policy(script, plotly),
            light=Markup(LIGHT.css()),  # noqa: S704 - constants
            dark=Markup(DARK.css()),  # noqa: S704 - constants
            style=own("page.css"),
            header=header(facts),
            waiting=waiting(facts),
            tiles=tiles(facts),
            captions=CAPTIONS,
            charts=shown,
            beside=_fit_beside(shown),
            cost_note=cost_note(facts),
            experiments=experiments(facts),
            jobs=rows(facts),
            failures=failures(facts),
            loop_file=loop_file(facts),
            version=version("wpfsm"),
            figures=Markup(_inert(charts)),  # noqa: S704 - no < is left in it
            plotly=Markup(_packed(plotly)),  # noqa: S704 - base64
            script=script,
        )
    )


def _fit_beside(charts: Mapping[str, Mapping[str, JSON]]) -> bool:
    """Whether the metric by job and by parameter stand side by side: while the latter is a single small chart."""
    layout = charts.get("parameters", {}).get("layout")
    return "metric" in charts and isinstance(layout, Mapping) and "xaxis2" not in layout


def _policy(*scripts: str) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _inert(data: JSON) -> str:
    """JSON inside a script element: no ``<`` may end it early."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _plotly() -> str:
    """The source of plotly.js, as the installed package carries it."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@cache
def _packed(source: str) -> str:
    """Compressed to two fifths, as base64; the page unpacks it with the browser's own DecompressionStream."""
    return base64.b64encode(gzip.compress(source.encode(), mtime=0)).decode()
