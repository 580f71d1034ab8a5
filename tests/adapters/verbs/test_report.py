"""The page of a loop: complete, self-contained, and proof against what a log may print."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_bench import BROKEN, OK, Bench
from report_loops import write_loop
from report_page import EVIL, SWEEP, Page

from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs.report import report
from wpfsm.fsm.errors import MissingExtra, NotFound, UsageError


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
