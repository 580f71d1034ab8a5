"""Kills lanes at any boundary, in any interleaving: no job twice, nothing left, each trial once."""

from __future__ import annotations

import random

import pytest
from crash_lanes import STORIES, Group, Lane, at_random, violations
from crash_runs import SOAK
from crash_table import TableWorld
from crash_world import Story, World

KEPT = (World, TableWorld)
"""Where the rows are, in turn: in one machine's file, and in a team's table."""


def test_two_lanes_end_well_in_every_interleaving() -> None:
    """Whichever lane is faster at each boundary, no trial is run twice and nothing is left."""
    found = {}
    for seed in range(200 if SOAK else 6):
        for name, story in STORIES.items():
            world = KEPT[seed % 2](story)
            group = Group(world, at_random(random.Random(seed)))
            try:
                group.run()
                if wrong := list(violations(group)):
                    found[name, seed] = wrong
            finally:
                group.close()
                world.close()
    assert found == {}


def killed_at(story: Story, seed: int, kills: list[int]) -> list[str]:
    """A group whose lanes are killed after so many steps, each time the one that goes on; what is wrong then."""
    world, dice = KEPT[seed % 2](story), random.Random(seed)
    victim: list[int] = []

    def pick(ready: list) -> object:  # type: ignore[type-arg]
        lane = dice.choice(ready)
        victim[:] = [lane.number]
        return lane

    group = Group(world, pick)
    try:
        for kill in kills:
            for _ in range(kill):
                if not group.step():
                    break
            if victim and not group.lanes[victim[0]].done:
                group.kill(victim[0])
        group.run()
        for _ in range(10):
            if not any(lane.error for lane in group.lanes.values()):
                break
            group.resume()
            group.run()
        return list(violations(group))
    finally:
        group.close()
        world.close()


@pytest.mark.parametrize("story", STORIES)
def test_a_lane_that_is_killed_anywhere_is_taken_over(story: str) -> None:
    """Killed at any boundary and started again, lanes make each job once and release all: a seeded sample."""
    found = {}
    dice = random.Random(story)
    for seed in range(400 if SOAK else 5):
        kills = [int(dice.expovariate(1 / 40)) + 1 for _ in range(dice.choice([1, 2, 4]))]
        if wrong := killed_at(STORIES[story], seed, kills):
            found[seed, tuple(kills)] = wrong
    assert found == {}


def killed_once_each(story: Story, left: set[tuple[int, str]], apart: int) -> list[str]:
    """Kill lanes at boundaries of ``left`` as they are met, at least ``apart`` steps between two; what is wrong then.

    What was killed is taken out of ``left``.
    """
    world = World(story)
    group = Group(world, at_random(random.Random(1)))
    killed: list[tuple[int, str]] = []
    since = apart
    try:
        while group.step():
            since += 1
            here = [(lane.number, lane.at) for lane in group.lanes.values() if not lane.done]
            due = [each for each in here if each in left]
            if due and since >= apart:
                left.discard(due[0])
                killed.append(due[0])
                group.kill(due[0][0])
                since = 0
        return [f"{wrong}, after kills at {killed}" for wrong in violations(group)]
    finally:
        group.close()
        world.close()


def test_a_kill_at_each_kind_of_boundary_changes_nothing() -> None:
    """Each lane is killed once at each boundary that it passes, several in a run: the short form of the next one."""
    known: set[tuple[int, str]] = set()
    for name in ("mended", "phases"):
        left = set(boundaries(STORIES[name], 1)) - known
        known |= left
        while left:
            before = len(left)
            assert killed_once_each(STORIES[name], left, apart=10) == [], name
            assert len(left) < before, f"not met in {name}: {left}"


def boundaries(story: Story, seed: int) -> list[tuple[int, str]]:
    """Which lane stands where after each step of a group that nobody disturbs."""
    world, dice = World(story), random.Random(seed)
    passed: list[Lane] = []

    def pick(ready: list[Lane]) -> Lane:
        passed.append(dice.choice(ready))
        return passed[-1]

    group = Group(world, pick)
    found = []
    try:
        while group.step():
            if not passed[-1].done:
                found.append((passed[-1].number, passed[-1].at))
        assert list(violations(group)) == []
        return found
    finally:
        group.close()
        world.close()


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="every boundary: WPFSM_SOAK=1")
@pytest.mark.parametrize("shard", range(8))
@pytest.mark.parametrize("story", STORIES)
def test_one_kill_at_every_boundary_changes_nothing(story: str, shard: int) -> None:
    """The two lanes, killed once at each of their boundaries."""
    steps, found = len(boundaries(STORIES[story], 1)), {}
    assert steps > 200
    for at in range(1 + shard, steps + 1, 8):
        if wrong := killed_at(STORIES[story], 1, [at]):
            found[at] = wrong
    assert found == {}
