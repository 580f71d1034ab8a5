"""The charts of a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_loops import LOOP_FILE, Made
from report_page import SWEEP, Page, facts_of

from wpfsm.adapters.report import render
from wpfsm.adapters.report.axes import NARROW, WIDE
from wpfsm.adapters.report.figures import figures
from wpfsm.adapters.report.palette import DARK, LIGHT
from wpfsm.fsm.records import Outcome


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_chart_comes_in_both_themes(tmp_path: Path, theme: object):
    """A chart of either theme is drawn in that theme's ink."""
    made = figures(facts_of(tmp_path, SWEEP), theme, NARROW)  # type: ignore[arg-type]
    assert set(made) == {"timeline", "metric", "parameters", "cost", "time"}
    assert {figure["layout"]["font"]["color"] for figure in made.values()} == {theme.ink}  # type: ignore[attr-defined,index,call-overload]


@pytest.mark.parametrize(
    ("made", "more", "charts"),
    [
        ([], {"outcome": Outcome.REFUSED, "why": "no quota"}, set()),
        (SWEEP[:1], {}, {"timeline", "cost", "time"}),
        ([Made({"a": 1})], {"loop_file": {k: v for k, v in LOOP_FILE.items() if k != "metric"}}, {"timeline", "cost", "time"}),
        (SWEEP, {"price": None}, {"timeline", "metric", "parameters", "time"}),
        (SWEEP, {"outcome": None}, {"timeline", "metric", "parameters", "cost", "time"}),
        ([Made({}, failed="cuda_oom", training=3) for _ in range(3)], {"outcome": Outcome.FAILED}, {"timeline", "cost", "time"}),
        ([Made({"lr": i / 7, "o": "ab"[i % 2]}, metric=1 / (i + 1)) for i in range(100)], {},
         {"timeline", "metric", "parameters", "cost", "time"}),
    ],
    ids=["no job", "one job", "no metric", "no price", "open", "failures only", "100 jobs"],
)  # fmt: skip
def test_every_kind_of_loop_has_a_page(
    tmp_path: Path, made: list[Made], more: dict[str, Any], charts: set[str]
):
    """Charts that would show nothing are left out, and the page still says what there is."""
    facts = facts_of(tmp_path, made, **more)
    page = Page(render(facts))
    assert {a["data-chart"] for _, a in page.tags if "data-chart" in a} == charts
    assert len(
        [tag for tag, a in page.tags if tag == "tr" and a.get("class") in (None, "best", "failed")]
    ) >= len(made)
    assert facts.loop.id in page.text


def test_a_figure_stands_beside_its_bar(tmp_path: Path):
    """Seconds that the service rounds add up to more than the wall time; the figure is not written over them."""
    facts = facts_of(tmp_path, SWEEP)
    rounded = replace(facts, ledger=replace(facts.ledger, wall_seconds=facts.ledger.wall_seconds / 2))  # type: ignore[operator]
    chart = figures(rounded, LIGHT, WIDE)["time"]
    ends = [sum(trace["x"][bar] for trace in chart["data"]) for bar in (0, 1)]  # type: ignore[index,call-overload]
    assert [note["x"] for note in chart["layout"]["annotations"]] == pytest.approx(ends)  # type: ignore[index,call-overload]
