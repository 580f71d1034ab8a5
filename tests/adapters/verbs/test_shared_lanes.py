"""A group of lanes over the table of a team: an execution a lane, one loop to whoever looks."""

from __future__ import annotations

import json
import threading
import types
from typing import Any

import pytest
from team import GOES_ON, Team

from wpfsm.adapters.aws.targets import place_of
from wpfsm.adapters.engine import executions, turns
from wpfsm.adapters.engine.place import Place
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.table import Update

SWEEP = "lanes: 2\nstrategy: {type: sweep, method: grid, parameters: {lr: [0.1, 0.2, 0.3, 0.4]}}"


class Crash(BaseException):
    """The function dies here."""


class Engine:
    """Takes the executions that are begun, and runs each in a thread when told to."""

    def __init__(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        self.team = team
        self.names: list[str] = []
        self._events: list[dict[str, Any]] = []
        functions = types.SimpleNamespace(
            invoke=self._invoke, send_durable_execution_callback_success=lambda **_: None
        )
        monkeypatch.setattr(Place, "functions", functions)
        place_of.cache_clear()

    def _invoke(self, **asked: Any) -> None:
        self.names.append(asked["DurableExecutionName"])
        self._events.append(json.loads(asked["Payload"]))

    def dies(self, at: str) -> None:
        """The newest execution is killed at a boundary of its first turn, and AWS gives it up."""
        event = self._events.pop()

        def hook(name: str) -> None:
            if name == at:
                raise Crash(name)

        with pytest.raises(Crash):
            turns.take(self.team.place(), event["loop"], generation=event["generation"], hook=hook)
        self.late(event["loop"])

    def late(self, loop_id: str) -> None:
        """Its next look was due long ago."""
        self.team.place().table.update(Update(loop_id, LOOP, {"look_at": 1.0, "due": 1.0}))

    def run(self) -> None:
        """Every execution that goes on, beside one another, to its end."""
        threads = [threading.Thread(target=self._execute, args=(event,)) for event in self._events]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(500)

    def _execute(self, event: dict[str, Any]) -> None:
        place = self.team.place()
        for _ in range(500):
            if turns.take(place, event["loop"], generation=event["generation"])["over"]:
                return


def test_two_lanes_are_one_loop_whose_dead_lane_is_resumed(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four trials on two pools; the second lane's execution dies with an intent open, and `resume` begins that alone."""
    engine = Engine(team, monkeypatch)
    loop_id = team.start(team.loop("lanes", more=SWEEP))
    second = f"{loop_id}-l2"
    assert engine.names == [f"{loop_id}-g1", f"{second}-g1"]
    assert executions.begin(team.place(), second, 0) == 1  # a start that is tried again begins nothing twice
    engine.dies("after commit intended")
    lanes = team.document(loop_id)["lanes"]
    assert [(lane["lane"], lane["trial"], lane["state"]) for lane in lanes] == [
        (1, 1, "Submitting"),
        (2, 2, "Submitting"),
    ]
    assert "late: " + second in team.run("doctor").out
    assert "lane of" in team.run("resume", second, code=GOES_ON).err
    assert engine.names[2:] == [f"{second}-g2"]
    assert "the engine drives" in team.run("resume", loop_id, code=5).err
    engine.run()
    document = team.run("wait", loop_id, "-o", "json").document
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
    events = team.run("inspect", loop_id, "--events", "-o", "json").document["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [loop["id"] for loop in team.run("inspect", "-o", "json").document["loops"]] == [loop_id]
    team.run("forget", loop_id)
    assert team.run("inspect", "-o", "json").document["loops"] == []


def test_a_group_that_nobody_drives_is_closed_from_here(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """`stop` closes every lane where their executions are gone; one that lives is asked, and is begun where it died."""
    engine = Engine(team, monkeypatch)
    loop_id = team.start(team.loop("dead", more=SWEEP))
    engine.late(f"{loop_id}-l2")
    asked = team.run("stop", loop_id, "--timeout", "1s", code=GOES_ON)
    assert "asked the engine" in asked.err
    engine.late(loop_id)
    team.run("stop", loop_id)
    document = team.document(loop_id)
    assert document["loop"]["outcome"] == "stopped"
    assert [lane["state"] for lane in document["lanes"]] == ["Closed", "Closed"]
    assert document["receipt"]["released"]


def test_a_refused_group_closes_every_lane(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Preflight refuses on the user's machine: no execution is begun, and no lane stays open."""
    engine = Engine(team, monkeypatch)
    limit = "limits: {max_cost: 0.0001}"
    refused = team.run("start", team.loop("refused", more=f"{SWEEP}\n{limit}"), "-o", "json", code=3)
    document = refused.document
    assert engine.names == []
    assert [lane["state"] for lane in document["lanes"]] == ["Closed", "Closed"]
    assert document["loop"]["outcome"] == "refused"
