"""Pages to look at: of loops that were made, as a browser would read them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from report_loops import BEGAN, Made, write_loop

from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.report import gather
from wpfsm.adapters.report.facts import Facts
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
