"""A group of lanes over the table of a team: an execution a lane, one loop to whoever looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_bench import OK, Bench
from team_table import GOES_ON, Engine

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.engine import executions

SWEEP = "lanes: 2\nstrategy: {type: sweep, method: grid, parameters: {lr: [0.1, 0.2, 0.3, 0.4]}}"


@pytest.fixture
def engine(folder: Path, sagemaker_emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A team's engine."""
    return Engine(folder, sagemaker_emulator, monkeypatch)


def test_two_lanes_are_one_loop_whose_dead_lane_is_resumed(engine: Engine) -> None:
    """Four trials on two pools; the second lane's execution dies with an intent open, and `resume` begins that alone."""
    loop_id = engine.start("lanes", more=SWEEP)
    second = f"{loop_id}-l2"
    assert engine.begun == [f"{loop_id}-g1", f"{second}-g1"]
    assert executions.begin(engine.place, second, 0) == 1  # a start that is tried again begins nothing twice
    engine.newest_dies("after commit intended")
    lanes = engine.document(loop_id)["lanes"]
    assert [(lane["lane"], lane["trial"], lane["state"]) for lane in lanes] == [
        (1, 1, "Submitting"),
        (2, 2, "Submitting"),
    ]
    assert "is a lane of" in engine.run("resume", second, code=GOES_ON).err
    assert engine.begun[2:] == [f"{second}-g2"]
    assert "the engine drives" in engine.run("resume", loop_id, code=5).err
    engine.finish()
    document = engine.run("wait", loop_id, "-o", "json").document
    assert [(t["params"]["lr"], t["state"]) for t in document["trials"]] == [
        (lr, "completed") for lr in (0.1, 0.2, 0.3, 0.4)
    ]
    jobs = document["jobs"]
    assert (
        1 <= [job["start"] for job in jobs].count("cold") <= 2
    )  # the service may give a lane the other's pool
    assert {job["lane"] for job in jobs} == {1, 2}
    assert document["receipt"]["released"]
    assert {line["job"] for line in document["receipt"]["jobs"]} == {job["name"] for job in jobs}
    events = engine.run("inspect", loop_id, "--events", "-o", "json").document["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [loop["id"] for loop in engine.run("inspect", "-o", "json").document["loops"]] == [loop_id]
    engine.run("forget", loop_id)
    assert engine.run("inspect", "-o", "json").document["loops"] == []


def test_a_group_that_nobody_drives_is_closed_from_here(engine: Engine) -> None:
    """`stop` closes every lane where their executions are gone; while one lives, it is asked."""
    loop_id = engine.start("dead", more=SWEEP)
    asked = engine.run("stop", loop_id, "--timeout", "1s", code=GOES_ON)
    assert "asked the engine" in asked.err
    engine.late(loop_id)
    engine.run("stop", loop_id)
    document = engine.document(loop_id)
    assert document["loop"]["outcome"] == "stopped"
    assert [lane["state"] for lane in document["lanes"]] == ["Closed", "Closed"]
    assert document["receipt"]["released"]


def test_a_group_that_preflight_does_not_admit_is_closed(engine: Engine) -> None:
    """It ends on the user's machine: no execution is begun, and no lane stays open."""
    file = Bench(engine.folder).loop("poor", OK, more=f"{SWEEP}\nlimits: {{max_cost: 0.0001}}")
    document = engine.run("start", file, "-o", "json", code=20).document
    assert engine.begun == []
    assert [lane["state"] for lane in document["lanes"]] == ["Closed", "Closed"]
    assert document["loop"]["outcome"] == "limit"
