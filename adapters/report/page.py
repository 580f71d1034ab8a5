"""Puts the page together: text, charts and Plotly itself in one file that asks nothing of the network.

A content security policy allows the page's own two scripts, by their hashes, and no connection of any kind:
what a training log printed stays text even where it looks like markup.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.resources
import json
import string
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from wpfsm.adapters.report import sections
from wpfsm.adapters.report.experiments import experiments
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.failures import failures as failure_cards
from wpfsm.adapters.report.figures import figures
from wpfsm.adapters.report.html import Child, Markup, el, join
from wpfsm.adapters.report.palette import DARK, LIGHT
from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.records import JSON

_CHARTS = {
    "timeline": "The pool over time: cold and warm starts, training, idle time, and when it was released.",
    "metric": "The metric by job, with the best so far.",
    "curves": "What each job reported while it ran, one chart for each metric.",
    "parameters": "The metric by each parameter that took several values.",
    "cost": "Dollars of this loop against the same jobs cold.",
    "time": "Wall time of this loop against the same jobs cold.",
}


def render(facts: Facts) -> str:
    """The whole page.

    Raises:
        MissingExtra: Plotly is not installed.
    """
    try:
        plotly = _plotly()
    except ImportError as error:
        raise MissingExtra("report", "wpfsm report") from error
    charts = {"light": figures(facts, LIGHT), "dark": figures(facts, DARK)}
    script = _resource("page.js")
    template = string.Template(_resource("page.html"))
    return template.substitute(
        title=el("title", f"{facts.loop.name} · wpfsm"),
        policy=_policy(script, plotly),
        light=LIGHT.css(),
        dark=DARK.css(),
        style=_resource("page.css"),
        body=_body(facts, charts["light"]),
        figures=_inert(charts),
        plotly=_packed(plotly),
        script=script,
    )


def _body(facts: Facts, charts: Mapping[str, Mapping[str, JSON]]) -> Markup:
    failures = failure_cards(facts)
    comparison = [_chart(name) for name in ("time", "cost") if name in charts]
    note = sections.cost_note(facts)
    measured = _measured(charts)
    tree = experiments(facts)
    return join(
        [
            sections.header(facts),
            sections.handoff(facts),
            sections.tiles(facts),
            _section(
                "Pool",
                _chart("timeline")
                if "timeline" in charts
                else el("p", "No job was accepted.", class_="muted"),
            ),
            _section(facts.metric, measured) if measured else None,
            _section("Curves", _chart("curves")) if "curves" in charts else None,
            _section(
                "Against cold starts",
                el("div", comparison, class_="pair"),
                el("p", note, class_="muted small"),
            )
            if comparison
            else None,
            _section("Experiments", tree) if tree else None,
            _section("Jobs", sections.jobs_table(facts)) if facts.jobs else None,
            _section("Failures and patches", failures) if failures else None,
            _section("Receipt", sections.receipt(facts)),
            _section("More", sections.history(facts), sections.loop_file(facts)),
            el(
                "footer",
                f"wpfsm {version('wpfsm')} · schema wpfsm/1 · written {sections.stamp(facts.now)}",
                class_="muted",
            ),
        ]
    )


def _measured(charts: Mapping[str, Mapping[str, JSON]]) -> Child:
    """The metric by job, and beside it by parameter while that is a single small chart."""
    shown = [_chart(name) for name in ("metric", "parameters") if name in charts]
    layout = charts.get("parameters", {}).get("layout")
    beside = len(shown) == 2 and isinstance(layout, Mapping) and "xaxis2" not in layout
    return el("div", shown, class_="pair") if beside else shown


def _section(title: str, *children: Child) -> Markup:
    return el("section", el("h2", title), *children)


def _chart(name: str) -> Markup:
    return el(
        "div", id=f"chart-{name}", class_="chart", role="img", aria_label=_CHARTS[name], data_chart=name
    )


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


def _resource(name: str) -> str:
    return importlib.resources.files("wpfsm.adapters.report").joinpath(name).read_text(encoding="utf-8")
