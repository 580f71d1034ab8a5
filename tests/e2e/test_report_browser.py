"""The page of a loop in a real browser: every chart is drawn, nothing is asked of the network, no log runs."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from report_loops import LOOP_FILE, Made, write_loop

from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs.report import report
from wpfsm.fsm.records import JobPatch, Outcome

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
    pytest.mark.xdist_group("browser"),
]
EVIL = (
    "</script><script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"
)
SWEEP = [Made({"lr": lr}, metric=metric) for lr, metric in ((1e-4, 0.61), (5e-5, 0.42), (2e-5, 0.47))]


@dataclass
class Proxy:
    """A proxy that lets nothing through and remembers who asked."""

    port: int
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """The only way out that the browser has."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Proxy(listening.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                said = b""
                with contextlib.suppress(OSError):  # one that hangs up without a word has asked too
                    said = connection.recv(4096)
                made.asked.append(said.decode(errors="replace").partition("\r\n")[0])

    thread = threading.Thread(target=serve)
    thread.start()
    yield made
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@dataclass
class Browser:
    """Opens pages in a headless Chromium of its own."""

    folder: Path
    proxy: Proxy

    def open(self, page: Path, *, dark: bool = False) -> str:
        """The document after its scripts have run."""
        assert CHROMIUM
        theme = ["--blink-settings=preferredColorScheme=0"] if dark else []
        done = subprocess.run(
            [
                CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings",
                "--disable-default-apps", "--disable-extensions", "--disable-features=OptimizationHints,MediaRouter",
                f"--user-data-dir={self.folder / 'profile'}", f"--proxy-server=http://127.0.0.1:{self.proxy.port}",
                "--proxy-bypass-list=<-loopback>", "--virtual-time-budget=10000", *theme, "--dump-dom", page.as_uri(),
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout


@pytest.fixture
def browser(tmp_path: Path, proxy: Proxy) -> Browser:
    """A browser."""
    return Browser(tmp_path, proxy)


def page_of(tmp_path: Path, made: list[Made], **more: Any) -> Path:
    """Write a loop and its page."""
    write_loop(tmp_path / "w.db", made, **more)
    assert report(Options("json", tmp_path / "w.db"), "made", tmp_path / "page.html") == 0
    return tmp_path / "page.html"


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


def test_every_chart_is_drawn_and_nothing_is_fetched(browser: Browser, tmp_path: Path):
    """All five charts are there, and not one request left the browser."""
    dom = browser.open(page_of(tmp_path, SWEEP))
    assert charts(dom) == ["timeline", "metric", "parameters", "time", "cost"]
    for words in ("cold start", "warm start", "training", "idle", "released, read back"):
        assert words in dom
    ours = [line for line in browser.proxy.asked if "google" not in line and "gvt1" not in line]
    assert ours == []


def test_a_page_that_did_fetch_would_be_noticed(browser: Browser, tmp_path: Path):
    """The proxy of these tests sees a request that a page makes."""
    page = tmp_path / "fetches.html"
    page.write_text('<!doctype html><html><img src="http://wpfsm.invalid/x.png"></html>')
    browser.open(page)
    assert any("wpfsm.invalid" in line for line in browser.proxy.asked)


def test_dark_is_drawn_in_the_dark_palette(browser: Browser, tmp_path: Path):
    """Who prefers dark gets charts in light ink."""
    page = page_of(tmp_path, SWEEP)
    light, dark = browser.open(page), browser.open(page, dark=True)
    assert charts(dark) == charts(light)
    assert "fill: rgb(231, 234, 238)" in dark
    assert "fill: rgb(231, 234, 238)" not in light
    assert "fill: rgb(27, 31, 36)" in light


def test_what_a_log_printed_does_not_run(browser: Browser, tmp_path: Path):
    """Scripts and handlers in evidence, labels and parameters are shown, in the text and in the charts."""
    failed = Made(
        {EVIL: 1},
        failed=EVIL,
        evidence=[EVIL],
        label=EVIL,
        patch=JobPatch("edit", EVIL, "k", diff=f"+{EVIL}\n"),
    )
    made = [failed, Made({EVIL: 2}, metric=1.0, label=EVIL), Made({EVIL: 3}, metric=2.0, label=EVIL)]
    dom = browser.open(page_of(tmp_path, made, why=EVIL))
    assert "timeline" in charts(dom)
    assert "<title>made" in dom
    assert "<img" not in dom
    assert browser.proxy.asked == [] or not any("/x" in line for line in browser.proxy.asked)


def test_even_a_script_that_got_in_would_not_run(browser: Browser, tmp_path: Path):
    """The policy is the second wall: a script put into the page by force is refused by the browser."""
    page = page_of(tmp_path, SWEEP)
    page.write_text(
        page.read_text().replace("<main>", "<main><script>document.title='taken over'</script>", 1)
    )
    dom = browser.open(page)
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
    browser: Browser, tmp_path: Path, made: list[Made], more: dict[str, Any], drawn: int
):
    """Whatever came of a loop, its charts are drawn without an error."""
    assert len(charts(browser.open(page_of(tmp_path, made, **more)))) == drawn
