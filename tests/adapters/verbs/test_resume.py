"""``resume``: a loop goes on from its checkpoint, with what it has of its own."""

from __future__ import annotations

import shutil
import sqlite3

import pytest
from cli_bench import SLOW, Bench


def test_without_a_loop_it_lists_what_can_be_resumed(bench: Bench):
    """A loop that somebody drives is not listed; one whose controller died is, with the command that goes on."""
    process = bench.begin("start", bench.loop("driven", SLOW))
    bench.wait_running("driven")
    assert bench.run("resume", "-o", "json").json["loops"] == []
    assert "no loop waits" in bench.run("resume").out
    (listed,) = bench.run("inspect", "-o", "json").json["loops"]
    assert (listed["alive"], listed["handoff"]) == (True, False)
    assert listed["why"].startswith(f"{listed['id']}-001 ")  # what happened last

    process.kill()
    process.wait()
    (listed,) = bench.run("resume", "-o", "json").json["loops"]
    assert listed["alive"] is False
    for verb in ("resume", "inspect"):
        assert f"next  wpfsm resume {listed['id']}  # its controller is dead" in bench.run(verb).out
    assert bench.run("release", "driven").code == 0
    assert bench.run("resume", "-o", "json").json["loops"] == []


def test_a_hand_off_can_be_resumed_and_is_not_dead(finished: Bench):
    """Nobody drives a loop in a hand-off, and nothing is wrong with that."""
    (listed,) = finished.run("resume", "-o", "json").json["loops"]
    assert (listed["name"], listed["handoff"], listed["alive"]) == ("broken", True, False)
    assert "dead" not in finished.run("resume").out


def test_a_clock_that_was_set_back_lifts_no_limit(bench: Bench):
    """By the history the hour is over, by the clock the loop has not begun: the newest event is no later than now."""
    process = bench.begin("start", bench.loop("back", SLOW, more="limits: {max_wall: 1h}"))
    bench.wait_running("back")
    process.kill()
    process.wait()
    with sqlite3.connect(
        bench.database
    ) as connection:  # as a clock that was two hours ahead would have written it
        connection.execute(
            "update loops set created_at = created_at + 7200, updated_at = updated_at + 7200 + 3700"
        )
        connection.execute("update events set at = at + 7200 + 3700")
    connection.close()
    ran = bench.run("resume", "back", "-o", "json")
    assert ran.code == 20, ran.err
    assert ran.json["loop"]["outcome"] == "limit"
    assert ran.json["pool"]["released"] is True


@pytest.mark.sdk
def test_resume_needs_the_users_source_no_more(bench: Bench):
    """A loop whose controller died goes on with its own snapshot, even where the user's folder has gone since."""
    gate = bench.folder / "go"
    source = bench.folder / "src"
    source.mkdir()
    (source / "train.py").write_text(
        f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)\n"
    )
    (bench.folder / "moved.yaml").write_text(
        "version: 1\nname: moved\nstrategy: {type: single}\n"
        "pool: {instance_type: ml.m5.large, role: 'arn:aws:iam::123456789012:role/moved'}\n"
        "job: {source: src, entry: train.py, max_runtime: 5m}\n"
    )
    process = bench.begin("start", "moved.yaml")
    bench.wait_running("moved")
    process.kill()
    process.wait()
    shutil.rmtree(source)
    gate.touch()
    ran = bench.run("resume", "moved", "-o", "json")
    assert ran.code == 0, ran.err
    assert "the loop goes on with its own snapshot" in ran.err
    assert [job["status"] for job in ran.json["jobs"]] == ["Completed"]


def test_resume_without_an_id_lists_what_can_be_resumed(finished: Bench):
    """Closed loops are not among them."""
    loops = finished.run("resume", "-o", "json").json["loops"]
    assert [loop["name"] for loop in loops] == ["broken"]
