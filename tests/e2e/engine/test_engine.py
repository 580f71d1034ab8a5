"""A loop on the engine: started, killed, stopped, swept, and equal to the one that runs in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_loops import sweep_of
from engine_world import EngineWorld, engine

from wpfsm.adapters.engine import executions

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FULL = pytest.mark.skipif(os.environ.get("WPFSM_ENGINE") != "full", reason="in full: make engine-check")


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


@FULL
def test_the_first_example_runs_on_the_engine(world: EngineWorld) -> None:
    """The sweep of the README: the SDK renders here, the functions have none; ``--wait`` follows to the receipt."""
    done = world.wpfsm("start", str(EXAMPLES / "lr-sweep" / "loop.yaml"), "--wait", "-o", "json", seconds=600)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["receipt"]["released"]
    assert world.inspect(document["loop"]["id"])["pool"]["released"]


def test_its_starter_dies_as_soon_as_the_id_is_printed(world: EngineWorld) -> None:
    """SIGKILL at once: the engine has the loop, the second job is warm, and everything is released."""
    file = sweep_of(world.folder, "orphaned")
    starter = subprocess.Popen(
        [sys.executable, "-m", "wpfsm.cli", "start", str(file), "--wait"],
        env=world.env,
        cwd=world.folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert starter.stderr is not None
    loop_id = next(line.split()[1] for line in starter.stderr if line.startswith("loop "))
    starter.kill()
    starter.communicate()
    done = world.wpfsm("wait", loop_id, "--timeout", "5m")
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


@FULL
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


@FULL
def test_two_lanes_whose_workers_are_killed(world: EngineWorld) -> None:
    """Two executions of one loop, killed three times: four trials once each on two pools, one history, one receipt."""
    loop_id = world.start(sweep_of(world.folder, "lanes", lanes=2))
    assert world.kill_workers(3) == 3
    done = world.wpfsm("wait", loop_id, "--timeout", "4m", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    holds_nothing(world, loop_id)
    document = json.loads(done.stdout)
    assert [(t["params"]["lr"], t["state"]) for t in document["trials"]] == [
        (lr, "completed") for lr in (0.1, 0.2, 0.3, 0.4)
    ]
    assert sum(job["start"] == "cold" for job in document["jobs"]) <= 2
    assert {job["lane"] for job in document["jobs"]} == {1, 2}
    assert len(document["receipt"]["jobs"]) == len(document["jobs"])


@FULL
def test_three_turns_at_once_change_nothing(world: EngineWorld) -> None:
    """Whoever takes turns beside the engine is fenced, or goes on where the other one was."""
    loop_id = world.start(sweep_of(world.folder, "thrice"))
    codes: set[int] = set()
    for _ in range(20):
        turns = [
            subprocess.Popen([sys.executable, "-m", "wpfsm.cli", "turn", loop_id], env=world.env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(3)
        ]  # fmt: skip
        codes |= {turn.wait(120) for turn in turns}
        if world.inspect(loop_id)["loop"]["state"] == "Closed":
            break
    assert codes <= {0, 5, 11}, codes
    assert world.wpfsm("wait", loop_id, "--timeout", "2m").returncode == 0
    holds_nothing(world, loop_id)


@FULL
@pytest.mark.parametrize("where", ["engine", "embedded"])
def test_a_silent_job_is_stopped(world: EngineWorld, where: str) -> None:
    """Silence of 6 s is noticed within 30 s, by one process and by turns that are shorter than it."""
    file = sweep_of(world.folder, f"silent-{where}", seconds=600, silence="6s")
    env = {} if where == "engine" else {"WPFSM_DB": str(world.folder / "silent.db")}
    done = world.wpfsm("start", str(file), "--wait", "-o", "json", env=env)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    job = document["jobs"][0]
    assert (job["status"], job["stopped_for"]) == ("Stopped", "silence")
    assert job["training_seconds"] <= 30
    found = world.wpfsm("inspect", document["loop"]["id"], "--events", "-o", "json", env=env).stdout
    assert any("no output for" in event["why"] for event in json.loads(found)["events"])


@FULL
def test_an_equal_pool_key_is_refused_until_the_holder_is_closed(world: EngineWorld) -> None:
    """The second start is told who holds the key; after that loop is Closed it starts."""
    first, second = (sweep_of(world.folder, name, seconds=30, role="Shared") for name in ("holds", "wants"))
    loop_id = world.start(first)
    refused = world.wpfsm("start", str(second), "-o", "json")
    assert refused.returncode == 5, refused.stdout + refused.stderr
    assert loop_id in refused.stdout
    assert world.wpfsm("stop", loop_id).returncode == 0
    assert world.wpfsm("stop", world.start(second)).returncode == 0


@FULL
def test_the_engine_and_one_process_end_the_same(world: EngineWorld) -> None:
    """The same loop file on the engine and embedded: equal trials, ledger members and kinds of events."""
    on_engine = world.start(sweep_of(world.folder, "alike"))
    assert world.wpfsm("wait", on_engine, "--timeout", "3m").returncode == 0
    embedded = {"WPFSM_DB": str(world.folder / "embedded.db")}
    done = world.wpfsm("start", str(world.folder / "alike" / "loop.yaml"), "-o", "json", env=embedded)
    assert done.returncode == 0, done.stderr
    here, there = json.loads(done.stdout), world.inspect(on_engine)
    assert [(t["params"], t["state"], t["metric"]) for t in here["trials"]] == [
        (t["params"], t["state"], t["metric"]) for t in there["trials"]
    ]
    assert here["ledger"].keys() == there["ledger"].keys()

    def kinds(loop_id: str, env: dict[str, str]) -> list[str]:
        text = world.wpfsm("inspect", loop_id, "--events", "-o", "json", env=env).stdout
        return sorted({event["kind"] for event in json.loads(text)["events"]})

    assert kinds(here["loop"]["id"], embedded) == kinds(on_engine, {})


@FULL
def test_a_hand_off_is_taken_up_on_another_machine(world: EngineWorld, tmp_path: Path) -> None:
    """Exit code 10 in wait, the pool held; edited and resumed from other folders, the next generation ends it."""
    file = sweep_of(world.folder, "asks", needs="FIX")
    loop_id = world.start(file)
    asked = world.wpfsm("wait", loop_id, "--timeout", "3m")
    assert asked.returncode == 10, asked.stdout + asked.stderr
    assert world.inspect(loop_id)["pool"]["status"] == "Available"
    settings = json.loads(file.read_text())
    settings["job"]["environment"] = {"FIX": "1"}
    file.write_text(json.dumps(settings))
    resumed = world.wpfsm("resume", loop_id, "--accept-changes", env={"XDG_STATE_HOME": str(tmp_path)})
    assert resumed.returncode == 11, resumed.stdout + resumed.stderr
    assert world.wpfsm("wait", loop_id, "--timeout", "3m").returncode == 0
    document = world.inspect(loop_id)
    assert (document["loop"]["outcome"], document["engine"]["generation"]) == ("completed", 2)
