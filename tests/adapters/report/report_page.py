"""Pages to look at: of loops that were made, as a browser would read them."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from report_loops import BEGAN, LOOP_FILE, Made, write_loop

from wpfsm.adapters.documents.phase import phase_objects
from wpfsm.adapters.documents.rows import ledger_of
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
    tmp_path.mkdir(exist_ok=True)
    write_loop(tmp_path / "w.db", made, **more)
    history = History(open_existing(tmp_path / "w.db"))
    loop = history.newest()
    assert loop
    return gather(history, loop, LocalSources(tmp_path / "sources", tmp_path), now)


def in_phases(tmp_path: Path, made: list[Made], ends: list[int]) -> Facts:
    """A loop of phases: the last trial of each but the last one is given."""
    kinds = ["fix", "sweep", "until"][: len(ends) + 1]
    loop_file = {**LOOP_FILE, "strategy": [{"type": kind} for kind in kinds]}
    facts = facts_of(tmp_path, made, loop_file=loop_file)
    trials = [replace(t, phase=1 + sum(t.number > end for end in ends)) for t in facts.trials]
    jobs = [replace(job, install_seconds=5.0, upload_seconds=2.0) for job in facts.jobs]
    ledger = ledger_of(facts.loop, jobs, facts.now)
    phases = phase_objects(facts.loop, trials, jobs, ledger)
    return replace(facts, jobs=jobs, trials=trials, ledger=ledger, phases=phases)


def in_lanes(tmp_path: Path, made: list[Made]) -> Facts:
    """Two pools at a time: every second job runs on the second one."""
    facts = facts_of(tmp_path, made)
    jobs = []
    for job in facts.jobs:
        turn, startup = (job.number - 1) // 2, 290.0 if job.number <= 2 else 7.0
        at = BEGAN + 5 + 340 * turn + 283 * (turn > 0) + 7 * (job.number % 2 == 0)
        before = jobs[-2].name if turn else ""
        jobs.append(
            replace(
                job, created_at=at, started_at=at + startup, ended_at=at + startup + 300, reuse_of=before,
                startup_seconds=startup, start="warm" if turn else "cold", retained_seconds=33.0,
            )
        )  # fmt: skip
    return replace(facts, jobs=jobs)


def with_experiments(tmp_path: Path, made: list[Made]) -> Facts:
    """Each trial was proposed; every third one was discarded, the others carry the line on."""
    facts = facts_of(tmp_path, made)
    trials, base = [], None
    for trial in facts.trials:
        kept = trial.number % 3 != 0
        trials.append(
            replace(
                trial, base=base, proposal=trial.number, note="a smaller step should calm the last epochs",
                verdict="kept" if kept else "discarded", verdict_why="0.42 against 0.47, the noise is 0.01",
            )
        )  # fmt: skip
        base = trial.number if kept else base
    return replace(facts, trials=trials)


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
