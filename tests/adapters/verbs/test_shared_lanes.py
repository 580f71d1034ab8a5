"""A group of lanes over the table of a team: an execution a lane, one loop to whoever looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_bench import OK, Bench
from cli_in_process import wpfsm
from team_table import GOES_ON, Engine

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.engine import executions

ASKS = 10
"""The exit code of a loop that waits for somebody."""
HERE = ("--backend", "local", "-o", "json")
ASK = "lanes: 2\nstrategy: {type: ask, hold: 5m}"
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


def test_an_open_group_takes_two_proposals_at_once(engine: Engine) -> None:
    """`next` wakes a lane for each; between them the group waits as one loop, and nothing lets its pools go."""
    loop_id = engine.start("talk", f"time.sleep(2); {OK}", more=ASK)
    engine.finish()
    shown = engine.run("next", loop_id, "-o", "json", code=ASKS).document
    assert shown["handoff"]["kind"] == "ask"
    assert [(t["label"], t["state"]) for t in shown["trials"]] == [("as given", "completed")]
    for rate in (0.1, 0.2):
        engine.run("next", loop_id, "--set", f"lr={rate}", "--detach", code=GOES_ON)
    engine.finish()
    shown = engine.document(loop_id)
    assert [(t["params"].get("lr"), t["state"]) for t in shown["trials"]] == [
        (lr, "completed") for lr in (None, 0.1, 0.2)
    ]
    assert {job["lane"] for job in shown["jobs"]} == {1, 2}
    assert shown["handoff"]["kind"] == "ask"
    assert engine.run("wait", loop_id, code=ASKS).out
    collected = engine.run("gc", "--apply", *HERE).document
    assert collected["loops"] == []
    assert [each for each in collected["released"] if each["job"].startswith(loop_id)] == []
    held = engine.run("pools", *HERE).document["pools"]
    assert [pool["holder"] for pool in held if pool["loop"] == loop_id] == ["handoff", "handoff"]
    engine.run("next", loop_id, "--done", "--detach", code=GOES_ON)
    engine.finish()
    closed = engine.run("wait", loop_id, "-o", "json").document
    assert closed["receipt"]["released"]
    assert {line["job"] for line in closed["receipt"]["jobs"]} == {job["name"] for job in closed["jobs"]}
    left = engine.run("pools", *HERE).document["pools"]
    assert [pool for pool in left if pool["loop"] == loop_id] == []


def test_a_failed_job_of_a_lane_is_the_groups_question(engine: Engine) -> None:
    """The group waits once no lane has work; `resume --skip` with the group's name answers for the lane that asks."""
    broken = f"assert float(h['lr']) != 0.2, 'not this one'; {OK}"
    rules = "on_failure: [{when: any, do: handoff, hold: 5m}]"
    loop_id = engine.start("broken", broken, more=f"{SWEEP}\n{rules}")
    engine.finish()
    shown = engine.document(loop_id)
    failed = next(job for job in shown["jobs"] if job["status"] == "Failed")
    assert (shown["handoff"]["kind"], shown["handoff"]["job"]) == ("failure", failed["name"])
    assert engine.run("turn", loop_id, code=ASKS).out
    engine.run("resume", loop_id, "--skip", code=GOES_ON)
    engine.finish()
    closed = engine.run("wait", loop_id, "-o", "json").document
    states = {t["params"]["lr"]: t["state"] for t in closed["trials"]}
    assert states == {0.1: "completed", 0.2: "failed", 0.3: "completed", 0.4: "completed"}
    assert closed["receipt"]["released"]


def test_turn_takes_one_of_each_lane(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no engine calls it again: it says when, and ends with the loop's own exit code."""
    monkeypatch.setenv("WPFSM_NAP", "0")
    loop_id = engine.start("turned", more=SWEEP.replace(", 0.3, 0.4", ""))
    taken = engine.run("turn", loop_id, "-o", "json", code=GOES_ON).document["turn"]
    assert (taken["over"], taken["exit_code"]) == (False, None)
    assert taken["seconds"] >= 0
    while (ran := wpfsm("turn", loop_id, "-o", "json")).code == GOES_ON:
        pass
    assert ran.code == 0, ran.err
    closed = engine.document(loop_id)
    assert [t["state"] for t in closed["trials"]] == ["completed"] * 2
    assert closed["receipt"]["released"]


def test_doctor_names_the_lane_whose_execution_died(engine: Engine) -> None:
    """A group is one loop; what is late of it is the lane."""
    loop_id = engine.start("ill", more=SWEEP)
    engine.newest_dies("after commit intended")
    checks = {check["name"]: check for check in wpfsm("doctor", "-o", "json").document["checks"]}
    assert checks["loops"]["text"] == f"late: {loop_id}-l2"
    assert checks["loops"]["fix"] == f"wpfsm resume {loop_id}-l2"
