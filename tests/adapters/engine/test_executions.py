"""Executions of a group: one a lane, begun once, woken by what concerns them, and begun again when they are missing."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

import pytest
from memory_table import MemoryBlobs, MemoryTable
from state_rows import JOB, LOOP, owner

from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.engine.turns import Knocking
from wpfsm.fsm.records import Change, Outcome, State
from wpfsm.state.shared import wake
from wpfsm.state.shared.history import SharedHistory
from wpfsm.state.shared.loops import create_loop, take_over
from wpfsm.state.shared.store import SharedStore

IDS = ("lr-1", "lr-1-l2", "lr-1-l3")


class Lambda:
    """What is asked of it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.woken: list[str] = []

    def invoke(self, **asked: Any) -> None:
        self.begun.append(asked["DurableExecutionName"])

    def send_durable_execution_callback_success(self, **asked: str) -> None:
        self.woken.append(asked["CallbackId"])


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """Lambda."""
    made = Lambda()
    monkeypatch.setattr(Place, "functions", made)
    return made


@pytest.fixture
def place() -> Place:
    """A table with a group of three lanes that all sleep, the second one with a job, in the state of each."""
    table: Any = MemoryTable()
    blobs: Any = MemoryBlobs()
    clients: Any = types.SimpleNamespace()
    rows = [
        dataclasses.replace(LOOP, id=each, lane=n, lane_of="lr-1" if n > 1 else "", state=state)
        for n, (each, state) in enumerate(
            zip(IDS, (State.RUNNING, State.RUNNING, State.DIAGNOSING), strict=True), start=1
        )
    ]
    create_loop(table, blobs, rows[0], "from a file", siblings=rows[1:])
    second = SharedStore(table, blobs, IDS[1], take_over(table, blobs, IDS[1], owner()))
    second.commit(Change("intended", "", jobs=(dataclasses.replace(JOB, lane=2),), at=101.0))
    for each in IDS:
        wake.arm(table, each, f"callback of {each}", 0)
    return Place(table, blobs, "engine:live", "1", clients)


def row(place: Place, loop_id: str) -> Any:
    return SharedHistory(place.table, place.blobs).find(loop_id)


def test_a_lane_is_begun_once_under_its_own_name(place: Place, functions: Lambda) -> None:
    """Whoever comes second is told which generation drives it."""
    assert [executions.begin(place, each, 0) for each in (*IDS, *IDS)] == [1] * 6
    assert functions.begun == [f"{each}-g1" for each in IDS]


def test_the_end_of_a_job_wakes_the_lane_that_runs_it(place: Place, functions: Lambda) -> None:
    """An event names the job, and the job its lane."""
    assert executions.job_event(place, {"TrainingJobName": JOB.name})
    assert not executions.job_event(place, {"TrainingJobName": "another-001"})
    assert functions.woken == [f"callback of {IDS[1]}"]


def test_a_lane_that_moves_on_wakes_those_that_wait_for_it(place: Place, functions: Lambda) -> None:
    """A drawn trial concerns the idle one, what ends the group concerns all, and a look at a job nobody."""
    first, progress = row(place, IDS[0]), Knocking(place)
    progress.state(first, "runs")
    assert functions.woken == []
    progress.state(dataclasses.replace(first, state=State.VERIFYING), "next is trial 4")
    progress.state(
        dataclasses.replace(first, state=State.RELEASING, outcome=Outcome.LET_GO), "no trial is left"
    )
    assert functions.woken == [f"callback of {IDS[2]}"] * 2
    progress.state(dataclasses.replace(first, state=State.RELEASING, outcome=Outcome.GOAL_MET), "met")
    assert functions.woken[2:] == [f"callback of {each}" for each in IDS[1:]]


def test_a_lane_that_its_starter_left_out_is_begun_by_the_sweep(place: Place, functions: Lambda) -> None:
    """`start` died between two lanes: the group has an engine, and one of its lanes has none."""
    assert (
        executions.sweep(place, 1e6) == []
    )  # nobody was begun: it may be in Preflight on its user's machine
    executions.begin(place, IDS[0], 0)
    executions.begin(place, IDS[1], 0)
    assert executions.sweep(place, 1e6) == [IDS[2]]
    assert functions.begun[2:] == [f"{IDS[2]}-g1"]
