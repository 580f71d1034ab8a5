"""A loop on the engine: started, killed, stopped, swept, and equal to the one that runs in one process."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_loops import sweep_of
from engine_world import EngineWorld, engine

from wpfsm.adapters.engine import executions


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineWorld]:
    """One engine for the module: loops do not disturb each other."""
    with engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


def created(world: EngineWorld, loop_id: str) -> Counter[str]:
    """How often each job of a loop was created."""
    return Counter(
        call["job"] for call in world.calls()
        if call["operation"] == "CreateTrainingJob" and call["job"].startswith(loop_id) and not call.get("error")
    )  # fmt: skip


def holds_nothing(world: EngineWorld, loop_id: str) -> None:
    """Every job once, no gap in the history, released."""
    document = world.inspect(loop_id)
    assert document["loop"]["state"] == "Closed"
    assert document["receipt"]["released"]
    assert set(created(world, loop_id).values()) == {1}
    seqs = [
        event["seq"]
        for event in json.loads(world.wpfsm("inspect", loop_id, "--events", "-o", "json").stdout)["events"]
    ]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_loop_runs_to_its_end_without_its_starter(world: EngineWorld) -> None:
    """Preflight on the user's machine, the turns in functions, the second job warm, everything released."""
    loop_id = world.start(sweep_of(world.folder, "plain"))
    done = world.wpfsm("wait", loop_id, "--timeout", "3m", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    holds_nothing(world, loop_id)
    assert [job["start"] for job in world.inspect(loop_id)["jobs"]] == ["cold", "warm"]
    assert len(list(world.workers.glob("*.ok"))) >= 1
    assert "loss" in world.wpfsm("logs", loop_id).stdout


def test_four_workers_killed_in_a_row_change_nothing(world: EngineWorld) -> None:
    """SIGKILL to each of the next four workers: every job once, released, exit code 0."""
    loop_id = world.start(sweep_of(world.folder, "killed"))
    assert world.kill_workers(4) == 4
    done = world.wpfsm("wait", loop_id, "--timeout", "4m", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    holds_nothing(world, loop_id)


def test_the_sweep_goes_on_where_the_engine_gave_up(world: EngineWorld) -> None:
    """Eight in a row: the execution fails; the sweep gives the loop another generation, which ends it."""
    loop_id = world.start(sweep_of(world.folder, "given-up"))
    world.kill_workers(8, seconds=35)
    place = world.place
    item = place.table.get(loop_id, "LOOP")
    assert item is not None
    begun = executions.sweep(place, float(item["due"]) + 301) if item.get("unfinished") else []
    assert begun == [loop_id]
    done = world.wpfsm("wait", loop_id, "--timeout", "4m", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    holds_nothing(world, loop_id)
    assert world.inspect(loop_id)["engine"]["generation"] == 2


def test_a_stop_from_another_machine(world: EngineWorld, tmp_path: Path) -> None:
    """Asked from other folders, it is heard within a look, and the pool is released."""
    loop_id = world.start(sweep_of(world.folder, "stopped", seconds=600))
    done = world.wpfsm("stop", loop_id, env={"XDG_STATE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert world.inspect(loop_id)["loop"]["outcome"] == "stopped"
