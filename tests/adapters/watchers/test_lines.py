"""Plain lines: a line is a change."""

from __future__ import annotations

import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from report_loops import BEGAN, LOOP_FILE

from wpfsm.adapters.watchers import LineWatcher
from wpfsm.fsm.records import Job, Loop, State

LOOP = Loop("l-1", "l", State.RUNNING, "local", "us-east-1", BEGAN, BEGAN, LOOP_FILE)


JOB = Job("l-1", 1, 1, "l-1-001", {}, {}, "d", "", 600.0, 60.0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["metric", "waiting", "job"]), st.integers(0, 2)),
        max_size=40,
    )
)
def test_a_line_is_a_change(calls: list[tuple[str, int]]):
    """Of each kind, no two lines in a row say the same, and every change has its line."""
    stream = io.StringIO()
    lines = LineWatcher(stream, clock=lambda: BEGAN)
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
    LineWatcher(stream).state(replace(LOOP, state=State.RELEASING), "no quota\n  fix: ask for one")
    first, second = stream.getvalue().splitlines()
    assert first[10:] == "Releasing   no quota"
    assert second[10:].strip() == "fix: ask for one"


def test_a_long_wait_is_said_again_with_its_end():
    """Ten minutes of silence look like a program that hangs: a line a minute says what is waited for, and until when."""
    said, now = io.StringIO(), [BEGAN]
    lines = LineWatcher(said, clock=lambda: now[0])
    for _ in range(600):
        lines.waiting("the service: ThrottlingException", BEGAN + 600)
        now[0] += 1
    told = [line for line in said.getvalue().splitlines() if "waiting" in line]
    assert len(told) == 10
    assert all("at most until" in line for line in told)
    assert "for 60 s now" in told[1]
