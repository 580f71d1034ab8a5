"""``wait``: until a loop is over, or nobody drives it any more."""

from __future__ import annotations

from typing import Any

import jsonschema
from cli_bench import OK, Bench

from wpfsm.adapters.verbs.schema import output_schema

CHECK = jsonschema.Draft202012Validator(output_schema())


def check(document: Any) -> None:
    """Hold a document against the published schema."""
    errors = [f"{error.json_path}: {error.message}" for error in CHECK.iter_errors(document)]
    assert errors == []


def test_wait_returns_the_loops_exit_code(finished: Bench):
    """A loop that is over is not waited for; its code is its own."""
    closed = finished.run("wait", "sweep", "-o", "json")
    assert closed.code == 0
    check(closed.json)
    assert finished.run("wait", "broken").code == 10


def test_wait_tells_events_and_ends_with_the_loop(bench: Bench):
    """Events go to stderr as they happen, the document to stdout at the end; as jsonl the events are the data."""
    bench.begin("start", bench.loop("awaited", "time.sleep(1); " + OK))
    bench.wait_running("awaited")
    waited = bench.run("wait", "awaited", "--timeout", "60s", "-o", "json")
    assert waited.code == 0
    assert waited.json["loop"]["state"] == "Closed"
    assert "Releasing -> Closed" in waited.err


def test_wait_says_that_a_controller_is_dead(bench: Bench):
    """A controller that was killed is noticed at once, and `resume` finishes its loop."""
    process = bench.begin("start", bench.loop("orphan", "print('eval_loss=1'); time.sleep(3)"))
    bench.wait_running("orphan")
    process.kill()
    process.wait()
    waited = bench.run("wait", "orphan", "--timeout", "5m", "-o", "json", timeout=120)
    assert waited.code == 11
    assert "controller is dead" in waited.err
    assert waited.json["controller"]["alive"] is False
    assert waited.json["next"][0]["argv"][:2] == ["wpfsm", "resume"]
    resumed = bench.run("resume", "orphan", "-o", "json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["pool"]["released"] is True
