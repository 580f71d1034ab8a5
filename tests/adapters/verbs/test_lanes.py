"""A group of lanes from the command line: what it waits for is said and answered, and nothing holds a pool beyond that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli_bench import OK, Bench

BROKEN_ONCE = f"assert float(h['lr']) != 0.2, 'not this one'; time.sleep(0.5); {OK}"
SWEEP = """lanes: 2
strategy: {type: sweep, method: grid, parameters: {lr: [0.1, 0.2, 0.3, 0.4]}}
on_failure: [{when: any, do: handoff, hold: 5m}]
"""


def waiting(bench: Bench, name: str) -> Any:
    """A group whose second trial failed, and whose others are done: its document."""
    ran = bench.run("start", bench.loop(name, BROKEN_ONCE, more=SWEEP), "-o", "json")
    assert ran.code == 10, ran.err
    assert ran.json["handoff"]["kind"] == "failure"
    assert [trial["state"] for trial in ran.json["trials"]] == [
        "completed",
        "running",
        "completed",
        "completed",
    ]
    return ran.json


def test_a_group_that_waits_is_left_alone_and_goes_on_with_the_answer(bench: Bench) -> None:
    """`resume` without one says what is missing; `gc` lets no pool go within the hold; `--skip` ends the group."""
    waiting(bench, "asks")
    refused = bench.run("resume", "asks")
    assert refused.code == 3
    assert "the same job would fail again" in refused.err
    assert "None" not in refused.err
    collected = bench.run("gc", "--apply", "-o", "json").json
    assert collected["loops"] == []
    assert [each for each in collected["released"] if each["job"].startswith("asks")] == []
    held = [
        pool
        for pool in bench.run("pools", "-o", "json").json["pools"]
        if str(pool["loop"]).startswith("asks")
    ]
    assert [pool["holder"] for pool in held] == ["handoff"]
    ended = bench.run("resume", "asks", "--skip", "-o", "json")
    assert ended.code == 0, ended.err
    assert [t["state"] for t in ended.json["trials"]] == ["completed", "failed", "completed", "completed"]
    assert {line["job"] for line in ended.json["receipt"]["jobs"]} == {
        job["name"] for job in ended.json["jobs"]
    }


def test_a_group_that_waits_is_stopped(bench: Bench) -> None:
    """The lane that was let go before has left its pool to the one that asks: both end."""
    waiting(bench, "stopped")
    ran = bench.run("stop", "stopped")
    assert ran.code == 0, ran.err
    document = bench.document("stopped")
    assert document["loop"]["outcome"] == "stopped"
    assert [lane["state"] for lane in document["lanes"]] == ["Closed", "Closed"]
    assert document["receipt"]["released"] is True


def test_a_group_at_a_limit_comes_back_at_once(bench: Bench) -> None:
    """The proposal is kept, no lane is started again and again, and the limit that is raised goes on with it."""
    more = "lanes: 2\nstrategy: {type: ask, hold: 5m}\nlimits: {max_jobs: 1, on_limit: ask}"
    file: Path = bench.loop("limited", OK, more=more)
    rate = "max_runtime: 5m, hyperparameters: {lr: 0.5}}"
    file.write_text(file.read_text().replace("max_runtime: 5m}", rate))
    assert bench.run("start", file).code == 10
    kept = bench.run("next", "limited", "--set", "lr=0.1")
    assert kept.code == 10, kept.err
    assert "is kept, and runs once the loop goes on" in kept.err
    assert kept.err.count("is started again") <= 1
    file.write_text(file.read_text().replace("max_jobs: 1", "max_jobs: 5"))
    resumed = bench.run("resume", "limited", "--accept-changes", "-o", "json")
    assert resumed.code == 10, resumed.err
    assert [trial["state"] for trial in resumed.json["trials"]] == ["completed", "completed"]
    assert bench.run("next", "limited", "--done").code == 0
