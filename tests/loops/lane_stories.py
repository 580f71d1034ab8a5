"""Sweeps on several lanes, in the emulator's time, and what is asked of them afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from crash_checks import at_the_service, in_the_database
from crash_lanes import Group, Lane
from crash_world import LOOP_ID, Story, World

from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Job, Outcome, State

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


def until(group: Group, reached: Any, *, most: int = 20_000) -> None:
    """Let the lanes go on until something is so."""
    for _ in range(most):
        if reached():
            return
        assert group.step(), "every lane has ended before"
    raise AssertionError("it does not come to that")


def at(group: Group, lane: int, boundary: str) -> Any:
    """Whether a lane stands at a boundary."""
    return lambda: group.lanes[lane].at == boundary


def jobs_of(group: Group) -> list[Job]:
    """Every job of the group."""
    with group.world.history() as history:
        return list(history.jobs(LOOP_ID))


def settled(group: Group, count: int) -> Any:
    """Whether so many jobs have ended."""
    return lambda: sum(job.is_terminal for job in jobs_of(group)) >= count


def strike(group: Group, event: str, lane: int) -> str:
    """Something happens to the idle pool of a lane; returns the job that owned it."""
    owner = [job for job in jobs_of(group) if job.lane == lane and job.arn][-1]
    job = next(job for job in group.world.emulator.jobs() if job.name == owner.name)
    group.world.emulator.engine.strike(job.place, job.name, event)
    return owner.name


def outcomes(group: Group) -> list[Outcome | None]:
    """How each lane ended."""
    with group.world.history() as history:
        return [lane.outcome for lane in history.lanes(LOOP_ID)]


def until_moves(lane: Lane, boundary: str) -> None:
    """Let one lane alone go on to a boundary."""
    while lane.at != boundary:
        assert not lane.done
        lane.step()
