"""What people and programs see while a loop runs, and that watching never costs the loop anything."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import sqlite3
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from cli_bench import OK, WPFSM, Bench
from hypothesis import given
from hypothesis import strategies as st
from report_loops import BEGAN, LOOP_FILE, Made, write_loop
from rich.console import Console

from wpfsm.adapters.watchers import Lines
from wpfsm.adapters.watchers.background import Background
from wpfsm.adapters.watchers.base import Watcher
from wpfsm.adapters.watchers.panel import Moving, clean, panel, sparkline
from wpfsm.adapters.watchers.snapshot import Snapshot, snapshot
from wpfsm.fsm.ports import LogLine
from wpfsm.fsm.records import Job, Loop, State, Trial
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

LOOP = Loop("l-1", "l", State.RUNNING, "local", "us-east-1", BEGAN, BEGAN, LOOP_FILE)
JOB = Job("l-1", 1, 1, "l-1-001", {}, {}, "d", "", 600.0, 60.0)


# --- events, for programs -----------------------------------------------------------------------------


def events_of(bench: Bench) -> list[tuple[int, str, str, str]]:
    with sqlite3.connect(bench.database) as connection:
        rows = connection.execute(
            "select seq, kind, target, why from events order by loop_id, seq"
        ).fetchall()
    connection.close()
    return rows


def test_jsonl_streams_every_event_once_and_in_order(bench: Bench):
    """Standard output holds the events table, one object a line, and nothing else."""
    ran = bench.run("start", bench.loop("stream", OK), "-o", "jsonl")
    assert ran.code == 0, ran.err
    assert [(e["seq"], e["kind"], e["to"], e["why"]) for e in ran.lines] == events_of(bench)
    assert [e["seq"] for e in ran.lines] == list(range(1, len(ran.lines) + 1))
    assert all(
        set(e) == {"schema", "seq", "at", "loop", "kind", "from", "to", "why", "data"} for e in ran.lines
    )
    assert {e["schema"] for e in ran.lines} == {"wpfsm/1"}
    assert (ran.lines[0]["from"], ran.lines[-1]["to"]) == (None, "Closed")


def test_jsonl_of_a_resume_goes_on_where_the_history_ends(bench: Bench):
    """A resume streams what is new: with what was there before it is the whole history, nothing twice."""
    assert bench.run("start", bench.loop("again", "raise SystemExit(3)")).code == 10
    before = events_of(bench)
    ran = bench.run("resume", "again", "--abandon", "-o", "jsonl")
    assert [e["seq"] for e in ran.lines] == [e[0] for e in events_of(bench)][len(before) :]
    assert ran.lines[-1]["to"] == "Closed"


def test_a_reader_that_leaves_does_not_end_the_loop(bench: Bench):
    """Both streams closed by their reader: the loop goes on to its end and releases its pool."""
    process = bench.begin("start", bench.loop("left", OK), "-o", "jsonl")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(60) == 0
    process.stdout, process.stderr = None, None
    assert bench.document("left")["pool"]["released"] is True


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="the size of a pipe is Linux's to set")
def test_a_reader_that_never_reads_does_not_hold_up_the_loop(bench: Bench):
    """A full pipe on stderr stops the watcher, not the controller."""
    file = bench.loop("unread", OK)
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"." * (size - 500))
    with subprocess.Popen(
        [WPFSM, "start", str(file)], cwd=bench.folder, env=bench.environment, stderr=writing,
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        os.close(writing)
        assert process.wait(60) == 0
    assert len(os.read(reading, 2 * size)) > size - 100, "the pipe was not filled: nothing was tested"
    os.close(reading)
    assert bench.document("unread")["pool"]["released"] is True


# --- the terminal ---------------------------------------------------------------------------------------


def on_a_terminal(bench: Bench, *words: str, columns: int = 100) -> tuple[int, str, str]:
    """Run the program with a terminal as stderr: exit code, stdout, and what reached the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**bench.environment, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [WPFSM, *words],
        cwd=bench.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = bytearray()

    def read() -> None:
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other side is gone
                return
            if not chunk:
                return
            seen.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=90)
    reader.join(10)
    os.close(ours)
    return process.returncode, out.decode(), seen.decode(errors="replace")


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", text)


def test_the_live_view_shows_what_a_person_needs(bench: Bench):
    """State, job, pool, dollars, worst case, metric, log and what is waited for are on the screen."""
    script = "print('eval_loss=0.75', flush=True); print('one line of the log', flush=True); time.sleep(1.2)"
    file = bench.loop("live", script)
    code, out, raw = on_a_terminal(bench, "start", str(file), "-o", "json")
    assert code == 0
    screen = without_styles(raw)
    assert json.loads(out)["loop"]["outcome"] == "completed"
    for words in (
        "trial  1 of 2", "trial  2 of 2", "InProgress · Training", "in use, cold start in", "in use, warm start in",
        "so far", "more if this controller died now", "eval_loss 0.75", "one line of the log",
        "waiting: live-", "to end", "Submitting  checks passed", "Closed      released and read back",
    ):  # fmt: skip
        assert words in screen, words
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l"), "the cursor is given back"


def test_a_long_reason_hangs_below_itself(bench: Bench):
    """What does not fit beside time and state goes on below the reason, not at the left edge."""
    _, _, raw = on_a_terminal(bench, "start", str(bench.loop("hanging", OK)), "-o", "json", columns=60)
    line = re.search(
        r"(\d\d:\d\d:\d\d  Verifying   )trial 1 .*?\r?\n(.*?)\r?\n", without_styles(raw), re.DOTALL
    )
    assert line is not None
    assert line[2].startswith(" " * len(line[1]))
    assert line[2].strip()


def test_nothing_a_job_prints_controls_the_terminal(bench: Bench):
    """Escape sequences of a log are taken out, and its secrets are masked."""
    script = (
        r"print('\x1b]0;owned\x07\x1b[2Jvisible AKIAIOSFODNN7EXAMPLE eval_loss=1', flush=True); time.sleep(1)"
    )
    _, _, raw = on_a_terminal(bench, "start", str(bench.loop("rude", script)))
    assert "visible [redacted] eval_loss=1" in without_styles(raw)
    assert "owned" not in raw
    assert "\x1b[2J" not in raw


def test_a_dumb_terminal_gets_plain_lines(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Where nothing can be drawn there are lines, without any control sequence."""
    file = bench.loop("dumb", OK)
    environment = bench.environment
    monkeypatch.setattr(Bench, "environment", property(lambda _: environment))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [WPFSM, "start", str(file)], cwd=bench.folder, env={**environment, "TERM": "dumb"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert process.wait(30) == 0
    assert b"\x1b" not in seen
    assert b"Closed" in seen


# --- the panel --------------------------------------------------------------------------------------------


def drawn(loop: Loop, look: Snapshot, moving: Moving, now: float, width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=False)
    console.print(panel(loop, look, moving, 3, now))
    return console.export_text()


@pytest.fixture
def idle(tmp_path: Path) -> tuple[Loop, list[Job], list[Trial]]:
    """A loop between two jobs: its pool idles since 70 seconds."""
    write_loop(tmp_path / "w.db", [Made({"lr": 1e-4}, metric=0.4)], outcome=None)
    history = History(open_existing(tmp_path / "w.db"))
    loop = replace(history.find("made-00c0de"), state=State.VERIFYING)
    job = replace(
        history.jobs(loop.id)[0], status="Completed", secondary_status="Completed", ended_at=BEGAN + 500,
        training_seconds=200.0, billable_seconds=200.0, pool_status="Available",
    )  # fmt: skip
    trial = replace(history.trials(loop.id)[0], state="completed")
    return loop, [job], [trial]


def test_an_idle_pool_counts_down_to_its_release(idle: tuple[Loop, list[Job], list[Trial]]):
    """The keep-alive that is left is on the screen, with what the pool burns meanwhile."""
    loop, jobs, trials = idle
    now = BEGAN + 570
    text = drawn(loop, snapshot(loop, jobs, trials, now), Moving(), now)
    assert "Available, 8 min 50 s until the service releases it  $2.80/h" in text
    assert "best 0.4" in text
    later = drawn(loop, snapshot(loop, jobs, trials, BEGAN + 1200), Moving(), BEGAN + 1200)
    assert "its keep-alive has run out" in later


def test_the_worst_case_is_that_of_the_moment(idle: tuple[Loop, list[Job], list[Trial]]):
    """Between jobs the keep-alive is at stake, during a job its longest run as well, after the end nothing."""
    loop, jobs, trials = idle
    between = snapshot(loop, jobs, trials, BEGAN + 570)
    during = snapshot(loop, [replace(jobs[0], status="InProgress", ended_at=None)], trials, BEGAN + 400)
    assert between.worst_usd == pytest.approx(600 / 3600 * 2.8)
    assert during.worst_usd == pytest.approx((600 + 2700) / 3600 * 2.8)
    assert snapshot(replace(loop, state=State.CLOSED), jobs, trials, BEGAN + 570).worst_usd == 0.0


def test_a_long_wait_says_what_for_and_how_long(idle: tuple[Loop, list[Job], list[Trial]]):
    """What is waited for, since when, and when it ends at the latest."""
    loop, jobs, trials = idle
    moving = Moving(waiting="l-1-001 to end", waiting_since=BEGAN, waiting_until=BEGAN + 600)
    text = drawn(loop, snapshot(loop, jobs, trials, BEGAN + 90), moving, BEGAN + 90)
    assert "waiting: l-1-001 to end  90 s, at most 8 min 30 s more" in text


def test_a_missing_price_is_said_and_not_shown_as_nothing(idle: tuple[Loop, list[Job], list[Trial]]):
    """Without a price there is a question mark and the key that sets it."""
    loop, jobs, trials = idle
    text = drawn(
        replace(loop, price=None), snapshot(replace(loop, price=None), jobs, trials, BEGAN), Moving(), BEGAN
    )
    assert "? so far" in text
    assert "pool.price_per_hour" in text


@given(width=st.integers(24, 200), text=st.text(max_size=300))
def test_no_text_breaks_the_frame(width: int, text: str):
    """Whatever a label and a log contain, each line is as wide as the terminal and no wider."""
    moving = Moving(job="j", waiting=text)
    moving.tail.extend(line for line in (clean(text),) if line)
    trial = Trial("l-1", 1, {}, text, state="running")
    shown = drawn(LOOP, snapshot(LOOP, [JOB], [trial], BEGAN + 5), moving, BEGAN + 5, width)
    assert all(line.endswith(("╮", "│", "╯")) for line in shown.splitlines())


@given(st.text(max_size=400))
def test_cleaned_text_has_no_control_characters(text: str):
    """Nothing that is shown of a log can move a cursor, ring a bell or set a title."""
    assert not [c for c in clean(text) if unicodedata.category(c) == "Cc" and c != "\t" and c != "\n"]


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_a_sparkline_rises_where_its_values_rise(values: list[float]):
    """One bar a value, and no bar lower than that of a smaller value."""
    bars = sparkline(values)
    assert len(bars) == len(values)
    ordered = sorted(zip(values, bars, strict=True))
    assert [bar for _, bar in ordered] == sorted(bars)


# --- plain lines --------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(["metric", "waiting", "job"]), st.integers(0, 2)),
        max_size=40,
    )
)
def test_a_line_is_a_change(calls: list[tuple[str, int]]):
    """Of each kind, no two lines in a row say the same, and every change has its line."""
    stream = io.StringIO()
    lines = Lines(stream, clock=lambda: BEGAN)
    for kind, value in calls:
        if kind == "metric":
            lines.metric("loss", float(value))
        elif kind == "waiting":
            lines.waiting(f"thing {value}")
        else:
            lines.job(replace(JOB, status=f"S{value}"), None)
    written = stream.getvalue().splitlines()
    for kind, mark in (("metric", "loss ="), ("waiting", "waiting:"), ("job", "l-1-001:")):
        values = [value for k, value in calls if k == kind]
        changes = [v for i, v in enumerate(values) if i == 0 or v != values[i - 1]]
        assert len([line for line in written if mark in line]) == len(changes)


def test_a_reason_of_several_lines_stays_readable():
    """Every line of a reason has its time and stands under the first."""
    stream = io.StringIO()
    Lines(stream).state(replace(LOOP, state=State.RELEASING), "no quota\n  fix: ask for one")
    first, second = stream.getvalue().splitlines()
    assert first[10:] == "Releasing   no quota"
    assert second[10:].strip() == "fix: ask for one"


# --- never in the way -----------------------------------------------------------------------------------------


class Stuck(Watcher):
    """Blocks in its first message until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def log(self, line: LogLine) -> None:
        self.go.wait(30)


class Broken(Watcher):
    """Fails in everything."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def metric(self, name: str, value: float) -> None:
        self.calls += 1
        raise self.error

    tick = close = lambda self: self.metric("", 0)


def test_a_stuck_watcher_costs_no_time():
    """Ten thousand lines more than it can hold are taken, and closing waits its patience and no longer."""
    stuck = Stuck()
    watched = Background(stuck, patience=0.2)
    began = time.monotonic()
    for _ in range(20_000):
        watched.log(LogLine(0.0, "s", "text"))
    watched.close()
    assert time.monotonic() - began < 60, "the watcher would be stuck for ever"
    stuck.go.set()


def test_a_broken_watcher_is_reported_once():
    """An error of a watcher reaches the log, once, and the caller never."""
    told: list[Exception] = []
    watched = Background(Broken(ValueError("a bad frame")), told.append)
    for _ in range(50):
        watched.metric("loss", 1.0)
    watched.close()
    assert [str(error) for error in told] == ["a bad frame"]


def test_a_watcher_whose_stream_is_gone_is_left_out():
    """After a broken pipe there is no second try."""
    broken = Broken(BrokenPipeError("gone"))
    watched = Background(broken)
    for _ in range(50):
        watched.metric("loss", 1.0)
    watched.close()
    assert broken.calls <= 3  # the first message, and close, which always comes


def test_a_verb_that_only_reads_imports_no_drawing():
    """Watching is for drivers: nothing of it slows ``inspect`` down."""
    code = "import sys, wpfsm.adapters.verbs.inspect; print([m for m in ('rich', 'structlog', 'plotly') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_long_wait_is_said_again_with_its_end():
    """Ten minutes of silence look like a program that hangs: a line a minute says what is waited for, and until when."""
    said, now = io.StringIO(), [BEGAN]
    lines = Lines(said, clock=lambda: now[0])
    for _ in range(600):
        lines.waiting("the service: ThrottlingException", BEGAN + 600)
        now[0] += 1
    told = [line for line in said.getvalue().splitlines() if "waiting" in line]
    assert len(told) == 10
    assert all("at most until" in line for line in told)
    assert "for 1m now" in told[1]
