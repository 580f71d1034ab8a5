"""The page of a loop in a real browser: every chart is drawn, nothing is asked of the network, no log runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM, Chromium, chromium
from report_loops import LOOP_FILE, Made, write_loop
from report_page import in_lanes, in_phases, with_experiments

from wpfsm.adapters.report import Facts, render
from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs.report import report
from wpfsm.fsm.records import JobPatch, Outcome

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]
EVIL = (
    "</script><script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"
)
SWEEP = [Made({"lr": lr}, metric=metric) for lr, metric in ((1e-4, 0.61), (5e-5, 0.42), (2e-5, 0.47))]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """A browser for all pages of this module."""
    with chromium() as made:
        yield made


def page_of(tmp_path: Path, made: list[Made], **more: Any) -> Path:
    """Write a loop and its page."""
    write_loop(tmp_path / "w.db", made, **more)
    assert report(Options("json", tmp_path / "w.db"), "made", tmp_path / "page.html") == 0
    return tmp_path / "page.html"


def shown(browser: Chromium, page: Path, **how: Any) -> str:
    """The document after its scripts have run."""
    browser.open(page, **how)
    return browser.dom()


def charts(dom: str) -> list[str]:
    """The charts that were drawn: the drawing of each."""
    root = dom.partition("<head")[0]
    assert "data-failed" not in root, root
    drawn = re.search(r'data-drawn="(\d+)"', root)
    assert drawn, "the page's script did not come to its end"
    found = re.findall(r'data-chart="(\w+)"[^>]*>(.*?)(?=<div id="chart-|<h2>|</main>)', dom, re.DOTALL)
    names = [name for name, inside in found if 'class="main-svg"' in inside]
    assert len(names) == int(drawn[1])
    return names


def test_every_chart_is_drawn_and_nothing_is_fetched(browser: Chromium, tmp_path: Path):
    """All five charts are there, and not one request left the browser."""
    dom = shown(browser, page_of(tmp_path, SWEEP))
    assert charts(dom) == ["timeline", "metric", "parameters", "time", "cost"]
    for words in ("cold start", "warm start", "training", "idle", "released, read back"):
        assert words in dom
    assert browser.requests() == []


def test_a_page_that_did_fetch_would_be_noticed(browser: Chromium, tmp_path: Path):
    """A request that a page makes is seen, though it leads nowhere."""
    page = tmp_path / "fetches.html"
    page.write_text('<!doctype html><html><img src="http://wpfsm.invalid/x.png"></html>')
    browser.open(page)
    assert browser.requests() == ["http://wpfsm.invalid/x.png"]


def test_dark_is_drawn_in_the_dark_palette(browser: Chromium, tmp_path: Path):
    """Who prefers dark gets charts in light ink."""
    page = page_of(tmp_path, SWEEP)
    light = shown(browser, page)
    browser.prefer(dark=True)
    browser.until("document.documentElement.dataset.shown.startsWith('dark')")
    dark = browser.dom()
    assert charts(dark) == charts(light)
    assert "fill: rgb(231, 234, 238)" in dark
    assert "fill: rgb(231, 234, 238)" not in light
    assert "fill: rgb(27, 31, 36)" in light


def test_what_a_log_printed_does_not_run(browser: Chromium, tmp_path: Path):
    """Scripts and handlers in evidence, labels and parameters are shown, in the text and in the charts."""
    failed = Made(
        {EVIL: 1},
        failed=EVIL,
        evidence=[EVIL],
        label=EVIL,
        patch=JobPatch("edit", EVIL, "k", diff=f"+{EVIL}\n"),
    )
    made = [failed, Made({EVIL: 2}, metric=1.0, label=EVIL), Made({EVIL: 3}, metric=2.0, label=EVIL)]
    dom = shown(browser, page_of(tmp_path, made, why=EVIL))
    assert "timeline" in charts(dom)
    assert "<title>made" in dom
    assert "<img" not in dom
    assert browser.requests() == []


def test_even_a_script_that_got_in_would_not_run(browser: Chromium, tmp_path: Path):
    """The policy is the second wall: a script put into the page by force is refused by the browser."""
    page = page_of(tmp_path, SWEEP)
    page.write_text(
        page.read_text().replace("<main>", "<main><script>document.title='taken over'</script>", 1)
    )
    dom = shown(browser, page)
    assert "document.title='taken over'" in dom
    assert "<title>taken over" not in dom
    assert charts(dom)


@pytest.mark.parametrize(
    ("made", "more", "drawn"),
    [
        ([], {"outcome": Outcome.REFUSED}, 0),
        (SWEEP[:1], {}, 3),
        ([Made({"a": 1})], {"loop_file": {k: v for k, v in LOOP_FILE.items() if k != "metric"}}, 3),
        ([Made({}, failed="cuda_oom", evidence=["CUDA out of memory"], training=3) for _ in range(3)], {}, 3),
        (
            [Made({"lr": 10 ** -(i % 5), "o": "ab"[i % 2], "n": i}, metric=1 / (i + 1)) for i in range(100)],
            {},
            5,
        ),
    ],
    ids=["no job", "one job", "no metric", "failures only", "100 jobs"],
)
def test_every_kind_of_loop_is_drawn(
    browser: Chromium, tmp_path: Path, made: list[Made], more: dict[str, Any], drawn: int
):
    """Whatever came of a loop, its charts are drawn without an error."""
    assert len(charts(shown(browser, page_of(tmp_path, made, **more)))) == drawn


LONG = [
    Made({"learning_rate": 10**-i, "warmup_steps": 100 * i, "optimizer": "adamw_torch_fused"}, metric=0.61 / i, training=300)
    for i in range(1, 8)
]  # fmt: skip
BROKEN = [
    Made({"learning_rate": 1e-4}, failed="missing_module", evidence=["No module named 'scipy'"], training=14),
    Made({"learning_rate": 1e-4}, metric=1.9, failed="cuda_oom", evidence=["out of memory"], training=80),
]
FAULTS = """(() => {
  const faults = [], name = (e) => e.textContent.trim().slice(0, 50);
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than the screen");
  for (const chart of document.querySelectorAll(".chart")) {
    const frame = chart.getBoundingClientRect();
    const texts = [...chart.querySelectorAll("svg text")]
      .filter((e) => e.textContent.trim() && getComputedStyle(e).opacity !== "0")
      .map((e) => ({word: name(e), box: e.getBoundingClientRect()})).filter(({box}) => box.width > 0);
    texts.forEach(({word, box}, i) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        faults.push(`${chart.id}: "${word}" is cut`);
      for (const other of texts.slice(i + 1)) {
        const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (wide > 2 && high > 3) faults.push(`${chart.id}: "${word}" lies over "${other.word}"`);
      }
    });
  }
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || e.closest("svg, pre, .chart, details:not([open])")) continue;
    if (!e.getClientRects().length) continue;
    const box = e.getBoundingClientRect(), holder = (e.closest(".tile, section, header") || e).getBoundingClientRect();
    if (box.right > holder.right + 1 || box.left < holder.left - 1) faults.push(`"${name(e)}" runs out of its place`);
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline") faults.push(`"${name(e)}" is cut`);
  }
  return faults;
})()"""
"""What a reader would see at once: text that is cut, that lies over other text, or that runs off the screen."""


def lanes(folder: Path) -> Facts:
    """Two pools at a time."""
    return in_lanes(folder, LONG)


def phases(folder: Path) -> Facts:
    """Three phases, the first of which failed twice."""
    return in_phases(folder, [*BROKEN, *LONG], [2, 5])


def experiments(folder: Path) -> Facts:
    """Proposals, kept and discarded."""
    return with_experiments(folder, LONG)


@pytest.mark.parametrize("width", [390, 800, 1400])
@pytest.mark.parametrize("loop", [phases, lanes, experiments])
def test_nothing_is_cut_or_laid_over_anything(
    browser: Chromium, tmp_path: Path, loop: Callable[[Path], Facts], width: int
):
    """From a phone to a desk, in light and in dark: every label is there, whole, and by itself."""
    facts = loop(tmp_path)
    page = tmp_path / "page.html"
    page.write_text(render(facts))
    for dark in (False, True):
        if dark:
            browser.prefer(dark=True)
            browser.until("document.documentElement.dataset.shown.startsWith('dark')")
        else:
            browser.open(page, width=width)
        assert browser.evaluate(FAULTS) == []
        labels = browser.evaluate(
            "[...document.querySelectorAll('#chart-timeline text')].map((e) => e.textContent)"
        )
        for job in facts.jobs:
            assert any(label.startswith(f"{job.number} · ") for label in labels), job.number


def test_a_page_is_drawn_anew_when_it_gets_narrow(browser: Chromium, tmp_path: Path):
    """A phone that is turned gets the labels of its width."""
    browser.open(page_of(tmp_path, SWEEP), width=1400)
    browser.resize(390)
    browser.until("document.documentElement.dataset.shown === 'light narrow'")
    browser.until(f"{FAULTS}.length === 0")
