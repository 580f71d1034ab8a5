"""Kills lanes at any boundary, in any interleaving: no job twice, nothing left, each trial once."""

from __future__ import annotations

import random

import pytest
from crash_lanes import STORIES, Group, at_random, violations
from crash_runs import SOAK
from crash_table import TableWorld
from crash_world import Story, World

KEPT = (World, TableWorld)
"""Where the rows are, in turn: in one machine's file, and in a team's table."""


def test_two_lanes_end_well_in_every_interleaving() -> None:
    """Whichever lane is faster at each boundary, no trial is run twice and nothing is left."""
    found = {}
    for seed in range(200 if SOAK else 12):
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
    for seed in range(400 if SOAK else 15):
        kills = [int(dice.expovariate(1 / 40)) + 1 for _ in range(dice.choice([1, 2, 4]))]
        if wrong := killed_at(STORIES[story], seed, kills):
            found[seed, tuple(kills)] = wrong
    assert found == {}


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="every boundary: WPFSM_SOAK=1")
@pytest.mark.parametrize("shard", range(8))
def test_one_kill_at_every_boundary_changes_nothing(shard: int) -> None:
    """The two lanes, killed once at each of their boundaries."""
    found = {}
    for at in range(1 + shard, 700, 8):
        if wrong := killed_at(STORIES["mended"], 1, [at]):
            found[at] = wrong
    assert found == {}
