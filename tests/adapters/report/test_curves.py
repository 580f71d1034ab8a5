"""The curves of a page: one chart a metric, one line a job, the best over the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from report_page import SWEEP, Page, facts_of

from wpfsm.adapters.report import render
from wpfsm.adapters.report.axes import WIDE
from wpfsm.adapters.report.curves import MOST_JOBS
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.figures import figures
from wpfsm.adapters.report.palette import LIGHT
from wpfsm.fsm.records import Curve


def told(facts: Facts, *metrics: str, points: int = 3) -> Facts:
    """Every job has reported each of the metrics so often."""
    curves = [
        Curve(
            facts.loop.id,
            job.number,
            name,
            points,
            tuple((n, 100.0 + n, 1 / n) for n in range(1, points + 1)),
        )
        for job in facts.jobs
        for name in metrics
    ]
    return replace(facts, curves=curves)


def test_each_metric_has_a_chart_and_the_goal_is_first(tmp_path: Path) -> None:
    """Times count from the first report; a name is text, whatever it looks like."""
    facts = told(facts_of(tmp_path, SWEEP), "<b>acc", "eval_loss")
    chart: Any = figures(facts, LIGHT, WIDE)["curves"]
    assert len(chart["data"]) == 2 * len(facts.jobs)
    assert chart["layout"]["yaxis"]["title"]["text"] == "eval_loss"
    assert chart["layout"]["yaxis2"]["title"]["text"] == "&lt;b&gt;acc"
    assert chart["data"][0]["x"] == [0, 1, 2]
    widths = [trace["line"]["width"] for trace in chart["data"] if trace["xaxis"] == "x"]
    assert widths == sorted(widths)
    assert max(widths) > min(widths)
    assert 'data-chart="curves"' in render(facts)


def test_a_single_report_is_no_curve(tmp_path: Path) -> None:
    """Then the page has no such section; of many jobs the newest and the best are drawn."""
    facts = facts_of(tmp_path, SWEEP)
    assert "curves" not in figures(told(facts, "eval_loss", points=1), LIGHT, WIDE)
    page = Page(render(facts))
    assert "Curves" not in page.text
    many = replace(facts, jobs=[replace(facts.jobs[0], number=n) for n in range(1, 60)])
    chart: Any = figures(told(many, "eval_loss"), LIGHT, WIDE)["curves"]
    assert len(chart["data"]) <= MOST_JOBS
