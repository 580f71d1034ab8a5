"""Lanes: several pools, one queue, one bill, one receipt."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from crash_checks import at_the_service, in_the_database
from crash_lanes import Group
from crash_world import LOOP_ID, Story, World

from wpfsm.adapters.documents.rows import ledger_of
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Outcome, State

COLD, TRAIN = 300, 600


def learns(launch: Launch) -> Script:
    """Ten minutes of training."""
    return Script(seconds=TRAIN, lines=["loss=0.5"])


def sweep(lanes: int, trials: int, script: Any = learns, **sections: Any) -> Story:
    """So many ten-minute trials."""
    return Story(
        loop_file={
            "pool": {"instance_type": "ml.g5.xlarge", "keep_alive": "10m", "price_per_hour": 3.6},
            "job": {"source": "src/", "entry": "train.py", "max_runtime": "30m"},
            "metric": {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"},
            "strategy": {"type": "sweep", "method": "list", "trials": [{"lr": n} for n in range(trials)]},
            "lanes": lanes,
            **sections,
        },
        script=script,
        source={"train.py": "print(1)\n"},
        settings=Settings(cold_start=COLD, warm_start=20),
    )


@contextlib.contextmanager
def group_of(story: Story) -> Iterator[Group]:
    """The lanes of a story."""
    world = World(story)
    group = Group(world)
    try:
        yield group
    finally:
        group.close()
        world.close()


def wrong(group: Group) -> list[str]:
    """What is wrong after a group has ended; empty when its promises were kept."""
    found = [*at_the_service(group.world), *in_the_database(group.world)]
    found += [f"unexpected error: {error!r}" for error in group.errors()]
    found += [f"trouble: {trouble!r}" for trouble in group.world.progress.troubles]
    with group.world.history() as history:
        lanes = history.lanes(LOOP_ID)
        first = history.find(LOOP_ID)
        covered = {line.job for line in first.receipt.jobs} if first.receipt else set()
        found += [f"lane {lane.lane} is {lane.state}" for lane in lanes if lane.state is not State.CLOSED]
        found += [
            f"{job.name} is not on the receipt" for job in history.jobs(LOOP_ID) if job.name not in covered
        ]
    return found


def test_four_lanes_run_a_sweep_in_a_third_of_the_time_for_the_same_money() -> None:
    """24 ten-minute trials: at least 3.2 times as fast as one after another, within 2 % of the cost, k cold starts."""
    seen: dict[int, tuple[float, float]] = {}
    for lanes in (1, 4):
        if lanes == 1:
            world = World(sweep(1, 24))
            result = world.drive()
            assert result.loop.outcome is Outcome.COMPLETED
        else:
            context = group_of(sweep(lanes, 24))
            group = context.__enter__()
            world = group.world
            group.run()
            assert wrong(group) == []
            assert max(group.held) == lanes
        with world.history() as history:
            loop, jobs, trials = history.find(LOOP_ID), history.jobs(LOOP_ID), history.trials(LOOP_ID)
            bill = ledger_of(loop, jobs, world.clock.now())
        assert loop.outcome is Outcome.COMPLETED
        assert Counter(job.start for job in jobs) == {"cold": lanes, "warm": 24 - lanes}
        assert [trial.number for trial in trials] == list(range(1, 25))
        assert Counter(trial.label for trial in trials).most_common(1)[0][1] == 1
        assert bill.wall_seconds is not None
        assert bill.cost_usd is not None
        seen[lanes] = (bill.wall_seconds, bill.cost_usd)
        if lanes == 1:
            world.close()
        else:
            context.__exit__(None, None, None)
    assert seen[1][0] / seen[4][0] >= 3.2, seen
    assert abs(seen[4][1] / seen[1][1] - 1) <= 0.02, seen
