"""The log of a loop: one canonical line a step, bound, redacted, and never in the way."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_bench import OK, Bench
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.adapters.watchers.run_log import LoopLog, masked, path_of
from wpfsm.fsm.failpoints import TRANSITIONS
from wpfsm.fsm.failures.redact import MASK

KEY = "AKIAIOSFODNN7EXAMPLE"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_loop_leaves_one_canonical_line_for_each_transition(bench: Bench):
    """Every committed transition has its step line: from, to, why, seconds, calls and commits."""
    ran = bench.run("start", bench.loop("steps", OK), "-o", "json")
    loop = ran.json["loop"]["id"]
    written = lines(path_of(bench.database, loop))
    with sqlite3.connect(bench.database) as connection:
        events = connection.execute(
            "select kind, source, target, why from events where loop_id = ? order by seq", (loop,)
        ).fetchall()
    connection.close()

    steps = [line for line in written if line["event"] == "step"]
    assert [(s["from"], s["to"], s["why"]) for s in steps] == [e[1:] for e in events if e[0] in TRANSITIONS]
    assert all(line["loop"] == loop and line["at"] and line["level"] for line in written)
    assert all(step["seconds"] >= 0 for step in steps)
    assert sum(step["calls"].get("service.create", 0) for step in steps) == 2
    assert {s["job"] for s in steps if s["to"] == "Diagnosing"} == {f"{loop}-001", f"{loop}-002"}
    assert written[0]["event"] == "controller_began"
    assert written[-1]["event"] == "controller_ended"
    assert "controller_began" not in ran.err


def test_debug_shows_the_log_to_people(bench: Bench):
    """With --debug the same lines are on stderr, each call and commit among them."""
    ran = bench.run("start", bench.loop("shown", OK), "--debug")
    assert ran.code == 0
    for word in ("controller_began", "step", "service.create", "commit=submitted"):
        assert word in ran.err


def test_a_level_can_be_asked_for_by_the_environment(bench: Bench):
    """WPFSM_LOG=info shows the steps and not the calls."""
    ran = bench.run("start", bench.loop("asked", OK), WPFSM_LOG="info")
    assert "step" in ran.err
    assert "service.describe" not in ran.err.replace("'service.describe'", "")


def test_secrets_are_masked_by_name_and_by_shape(tmp_path: Path):
    """A secret does not reach the file, however deep it sits and whatever it is called."""
    human = io.StringIO()
    log = LoopLog(tmp_path / "l.jsonl", "l", human=human)
    log.note("info", "x", hf_token="hunter22", nested={"list": [{"db_password": "pw123456"}, f"key {KEY}"]})
    log.trouble(RuntimeError(f"failed with {KEY}"))
    log.close()
    for text in ((tmp_path / "l.jsonl").read_text(), human.getvalue()):
        assert MASK in text
        assert not [secret for secret in ("hunter22", "pw123456", KEY) if secret in text]


def test_trouble_keeps_its_traceback(tmp_path: Path):
    """An error that was survived is in the log with the line that raised it."""
    log = LoopLog(tmp_path / "l.jsonl", "l")
    try:
        raise ValueError("who knows")
    except ValueError as error:
        log.trouble(error)
    log.close()
    (line,) = lines(tmp_path / "l.jsonl")
    assert (line["level"], line["error"]) == ("error", "ValueError")
    assert "test_trouble_keeps_its_traceback" in line["exception"]


def test_calls_are_counted_and_timed(tmp_path: Path):
    """A step says what was called how often, and how long that took in all."""
    now = iter([0.0, 1.0, 1.5, 2.0, 4.0, 9.0, 9.0])
    log = LoopLog(tmp_path / "l.jsonl", "l", monotonic=lambda: next(now))
    for _ in range(2):
        log.boundary("before call service.describe")
        log.boundary("after call service.describe")
    log.ended()
    log.close()
    (line,) = lines(tmp_path / "l.jsonl")
    assert line["calls"] == {"service.describe": 2}
    assert line["call_seconds"] == 2.5
    assert line["seconds"] == 9.0


def test_the_file_is_its_owners_alone(tmp_path: Path):
    """What a loop logs is nobody else's business."""
    LoopLog(tmp_path / "l.jsonl", "l").close()
    assert (tmp_path / "l.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("place", ["a/file", "/proc/no/such"])
def test_a_log_that_cannot_be_written_fails_nothing(tmp_path: Path, place: str):
    """A folder that cannot be made and a disk that is full end the log, not the loop."""
    (tmp_path / "a").write_text("a file where the folder should be")
    log = LoopLog(tmp_path / place, "l")
    log.note("info", "lost")
    log.close()
    log.note("info", "lost too")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_masking_twice_changes_nothing_more(value: object):
    """Masking is idempotent, whatever it is given."""
    assert masked(masked(value)) == masked(value)
