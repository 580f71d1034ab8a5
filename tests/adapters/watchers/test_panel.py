"""What is drawn: nothing breaks the frame, and what is missing is said."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from report_loops import BEGAN, LOOP_FILE
from rich.console import Console

from wpfsm.adapters.watchers.panel import Moving, clean, panel, sparkline
from wpfsm.adapters.watchers.snapshot import Snapshot, snapshot
from wpfsm.fsm.records import Job, Loop, State, Trial

LOOP = Loop("l-1", "l", State.RUNNING, "local", "us-east-1", BEGAN, BEGAN, LOOP_FILE)


JOB = Job("l-1", 1, 1, "l-1-001", {}, {}, "d", "", 600.0, 60.0)


def drawn(loop: Loop, look: Snapshot, moving: Moving, now: float, width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=False)
    console.print(panel(loop, look, moving, 3, now))
    return console.export_text()


def test_an_idle_pool_counts_down_to_its_release(idle: tuple[Loop, list[Job], list[Trial]]):
    """The keep-alive that is left is on the screen, with what the pool burns meanwhile."""
    loop, jobs, trials = idle
    now = BEGAN + 570
    text = drawn(loop, snapshot(loop, jobs, trials, now), Moving(), now)
    assert "Available, 8 min 50 s until the service releases it  $2.80/h" in text
    assert "best 0.4" in text
    later = drawn(loop, snapshot(loop, jobs, trials, BEGAN + 1200), Moving(), BEGAN + 1200)
    assert "its keep-alive has run out" in later


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
    assert "unknown so far" in text
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


def test_the_frame_leaves_room_for_what_the_terminal_echoes(idle: tuple[Loop, list[Job], list[Trial]]):
    """`^C` behind a frame as wide as the terminal begins a line, and a border of the frame before stays on the screen."""
    loop, jobs, trials = idle
    console = Console(file=io.StringIO(), width=80, record=True, force_terminal=False)
    console.print(panel(loop, snapshot(loop, jobs, trials, BEGAN), Moving(), 3, BEGAN, 80))
    assert {len(line.rstrip()) for line in console.export_text().splitlines()} == {76}
