"""The page of a loop: complete, self-contained, and proof against what a log may print."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, OK, Bench
from hypothesis import given
from hypothesis import strategies as st
from report_loops import BEGAN, LOOP_FILE, Made, write_loop

from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.report import gather, render
from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.figures import figures
from wpfsm.adapters.report.html import el
from wpfsm.adapters.report.palette import DARK, LIGHT
from wpfsm.adapters.report.timeline import segments
from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs.report import report
from wpfsm.fsm.errors import MissingExtra, NotFound, UsageError
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.records import JobPatch, Outcome
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

SWEEP = [
    Made({"lr": 1e-4}, metric=0.61, training=300, gap=70),
    Made({"lr": 5e-5}, metric=0.42, training=310, gap=55),
    Made({"lr": 2e-5}, metric=0.47, training=305, gap=2),
]
EVIL = "</script><script>document.title='taken over'</script><img src=x onerror=alert(1)>"


def facts_of(tmp_path: Path, made: list[Made], now: float = BEGAN + 2000, **more: Any) -> Facts:
    write_loop(tmp_path / "w.db", made, **more)
    history = History(open_existing(tmp_path / "w.db"))
    loop = history.newest()
    assert loop
    return gather(history, loop, LocalSources(tmp_path / "sources", tmp_path), now)


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.scripts.append((self.tags[-1][1], data))
        elif data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_the_page_of_a_real_loop_says_what_came_of_it(bench: Bench):
    """The real program writes the page of a real loop: best, pool, jobs, receipt."""
    assert bench.run("start", bench.loop("real", OK)).code == 0
    ran = bench.run("report", "real", "--html", "real.html", "-o", "json")
    assert ran.code == 0, ran.err
    page = Page((bench.folder / "real.html").read_text())
    assert ran.json["report"]["path"] == str(bench.folder / "real.html")
    assert ran.json["report"]["bytes"] == (bench.folder / "real.html").stat().st_size
    for words in (
        "completed",
        "1 cold, 1 warm",
        "released",
        "read back from the service",
        "lr=0.01",
        "Describe says Terminated",
    ):
        assert words in page.text, words


def test_a_real_failure_is_shown_with_its_evidence(bench: Bench):
    """What a real job printed before it failed is on the page, as text."""
    script = f"print({EVIL!r}); {BROKEN}"
    more = "on_failure: [{when: any, do: release}]"
    assert bench.run("start", bench.loop("evil", script, more=more)).code == 1
    assert bench.run("report", "evil", "--html", "evil.html").code == 0
    page = Page((bench.folder / "evil.html").read_text())
    assert "No module named 'a_module_that_nobody_wrote'" in page.text
    assert not [attributes for tag, attributes in page.tags if tag == "img"]


def test_nothing_on_the_page_refers_to_the_network(tmp_path: Path):
    """No element loads anything, no style imports anything, and the policy allows no connection."""
    html = render(facts_of(tmp_path, SWEEP))
    page = Page(html)
    loading = {"src", "href", "srcset", "data", "action", "poster", "background"}
    references = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in loading
    ]
    assert [value for value in references if not str(value).startswith("#")] == []
    assert not re.search(
        r"https?:|//[a-z]|@import|url\(", html.partition("<style>")[2].partition("</style>")[0]
    )
    outside = html.replace(next(text for a, text in page.scripts if a.get("id") == "plotly"), "")
    assert "http://" not in outside
    assert "https://" not in outside
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy.startswith("default-src 'none';")
    assert "connect-src" not in policy


def test_the_policy_names_exactly_the_two_scripts_of_the_page(tmp_path: Path):
    """Each script that is to run is allowed by its hash, and nothing else is."""
    page = Page(render(facts_of(tmp_path, SWEEP)))
    own = next(text for attributes, text in page.scripts if not attributes)
    packed = next(text for attributes, text in page.scripts if attributes.get("id") == "plotly")
    plotly = gzip.decompress(base64.b64decode(packed))
    hashes = [base64.b64encode(hashlib.sha256(code).digest()).decode() for code in (own.encode(), plotly)]
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert f"script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}';" in str(policy)


def test_the_page_is_small_enough_to_send(tmp_path: Path):
    """Plotly is packed: the page of a small loop stays under 2.5 MB."""
    assert len(render(facts_of(tmp_path, SWEEP)).encode()) < 2_500_000


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_chart_comes_in_both_themes(tmp_path: Path, theme: object):
    """A chart of either theme is drawn in that theme's ink."""
    made = figures(facts_of(tmp_path, SWEEP), theme)  # type: ignore[arg-type]
    assert set(made) == {"timeline", "metric", "parameters", "cost", "time"}
    assert {figure["layout"]["font"]["color"] for figure in made.values()} == {theme.ink}  # type: ignore[attr-defined,index,call-overload]


def test_the_timeline_accounts_for_every_second_of_the_pool(tmp_path: Path):
    """Start, training and idle time follow each other without gap or overlap, and end with the pool."""
    facts = facts_of(tmp_path, SWEEP)
    found = segments(facts)
    assert [s.phase for s in found] == ["cold start", "training", "idle"] + 2 * [
        "warm start",
        "training",
        "idle",
    ]
    assert [s.start for s in found[1:]] == [s.end for s in found[:-1]]
    assert found[0].start == facts.jobs[0].created_at
    assert found[-1].end == facts.jobs[-1].pool_ended_at
    assert sum(s.seconds for s in found if s.phase == "idle") == facts.ledger.retained_seconds


def test_a_failed_job_is_told_from_a_completed_one(tmp_path: Path):
    """A failure has its own phase in the timeline, its mark above the metric and its card."""
    failed = Made({"lr": 1.0}, failed="cuda_oom", evidence=["CUDA out of memory"], training=14)
    facts = facts_of(tmp_path, [failed, *SWEEP])
    assert [s.phase for s in segments(facts)].count("failed") == 1
    assert "job 1: cuda_oom" in json.dumps(figures(facts, LIGHT)["metric"])
    text = Page(render(facts)).text
    assert "Job 1: cuda_oom" in text
    assert "CUDA out of memory" in text


def test_what_a_log_prints_stays_text(tmp_path: Path):
    """Markup in evidence, labels, reasons, names and diffs is shown and never becomes an element."""
    diff = f"--- a/{EVIL}\n+++ b/x\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n"
    failed = Made(
        {EVIL: EVIL}, failed=EVIL, evidence=[EVIL], label=EVIL,
        patch=JobPatch("edit", EVIL, "k", why=EVIL, diff=diff, hyperparameters={EVIL: EVIL}),
    )  # fmt: skip
    facts = facts_of(
        tmp_path, [failed, Made({EVIL: 2}, metric=1.0, label=EVIL), Made({EVIL: 3}, metric=2.0)], why=EVIL
    )
    html = render(facts)
    page = Page(html)
    assert [tag for tag, _ in page.tags if tag in ("img", "iframe", "object")] == []
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 3
    assert "onerror" not in {name for _, attributes in page.tags for name in attributes}
    assert "taken over" in page.text
    charts = next(text for attributes, text in page.scripts if attributes.get("id") == "figures")
    assert "<" not in charts
    shown = json.dumps(json.loads(charts), ensure_ascii=False)
    assert "<img" not in shown, "Plotly would read it as markup"
    assert "<script" not in shown


def test_secrets_of_a_log_are_not_on_the_page(tmp_path: Path):
    """Evidence, reasons, parameters, the loop file and its webhooks are redacted."""
    key = "AKIAIOSFODNN7EXAMPLE"
    loop_file = {
        **LOOP_FILE,
        "notify": {"urls": ["https://hooks.example.org/T0/secret-part"], "on": ["closed"]},
    }
    failed = Made(
        {"hf_token": "hunter22"}, failed="script_error", evidence=[f"key {key}"],
        patch=JobPatch("edit", f"with {key}", "k", diff=f"+{key}\n", hyperparameters={"hf_token": "hunter22"}),
    )  # fmt: skip
    html = render(
        facts_of(tmp_path, [failed], loop_file=loop_file, why=f"because {key}", outcome=Outcome.FAILED)
    )
    outside = re.sub(r'<script type="application/octet-stream".*?</script>', "", html, flags=re.DOTALL)
    assert key not in outside
    assert "hunter22" not in outside
    assert "secret-part" not in outside
    assert "https://hooks.example.org/…" in outside


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


def test_a_loop_that_is_not_released_says_so(tmp_path: Path):
    """An open obligation is on the page with the command that discharges it."""
    text = Page(render(facts_of(tmp_path, SWEEP, outcome=None))).text
    assert "Not yet released" in text
    assert "wpfsm release made-00c0de" in text
    assert "Every pool was released" not in text


def test_a_figure_stands_beside_its_bar(tmp_path: Path):
    """Seconds that the service rounds add up to more than the wall time; the figure is not written over them."""
    facts = facts_of(tmp_path, SWEEP)
    rounded = replace(facts, ledger=replace(facts.ledger, wall_seconds=facts.ledger.wall_seconds / 2))  # type: ignore[operator]
    chart = figures(rounded, LIGHT)["time"]
    ends = [sum(trace["x"][bar] for trace in chart["data"]) for bar in (0, 1)]  # type: ignore[index,call-overload]
    assert [note["x"] for note in chart["layout"]["annotations"]] == pytest.approx(ends)  # type: ignore[index,call-overload]


@pytest.mark.parametrize(("left", "said"), [(60, "is held until"), (-60, "was held until")])
def test_a_hold_that_is_over_is_not_called_held(tmp_path: Path, left: float, said: str):
    """The page of an open hand-off says whether its pool may still be there."""
    facts = facts_of(tmp_path, SWEEP, outcome=None)
    waiting = replace(
        facts, loop=replace(facts.loop, handoff={"job": "made-00c0de-003"}, hold_until=facts.now + left)
    )
    text = Page(render(waiting)).text
    assert f"The pool {said}" in text
    assert ("starts cold" in text) == (left < 0)


def test_without_plotly_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A missing extra ends with exit code 3 and the command that installs it, and nothing is written."""
    from wpfsm.adapters.report import page

    page._plotly.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    write_loop(tmp_path / "w.db", SWEEP)
    given_options = Options("human", tmp_path / "w.db")
    with pytest.raises(MissingExtra) as error:
        report(given_options, "made", tmp_path / "page.html")
    assert error.value.exit_code == 3
    assert "wpfsm[report]" in error.value.fix
    assert not (tmp_path / "page.html").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    """A folder that is not there is bad usage; no half page is left anywhere."""
    write_loop(tmp_path / "w.db", SWEEP)
    with pytest.raises(UsageError, match="nowhere"):
        report(Options("human", tmp_path / "w.db"), "made", tmp_path / "nowhere" / "page.html")
    with pytest.raises(NotFound):
        report(Options("human", tmp_path / "w.db"), "no-such-loop", tmp_path / "page.html")
    assert not list(tmp_path.glob("*.html"))


@given(st.text(max_size=200), st.text(max_size=200))
def test_text_survives_as_text(text: str, attribute: str):
    """Whatever a child or an attribute contains, a parser reads exactly that text back, its secrets masked."""
    element = el("p", text, title=attribute)

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__(convert_charrefs=True)
            self.found: list[Any] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            self.found.append(data)

    reader = Reader()
    reader.feed(element)
    reader.close()
    tags = [found for found in reader.found if isinstance(found, tuple)]
    assert tags == [("p", [("title", redact(attribute))])]
    assert "".join(found for found in reader.found if isinstance(found, str)) == redact(text)
