"""Kills the controller at every boundary, resumes, and compares with the loop that nobody disturbed."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from crash_lanes import passed_by_lanes
from crash_runs import SOAK, differences, point, survive, undisturbed, world_of
from crash_stories import STORIES

from wpfsm.fsm.failpoints import POINTS

pytestmark = pytest.mark.soak

SHARDS = 8 if SOAK else 3


def chosen(story: str) -> list[int]:
    """The places where a controller is killed: each kind of boundary once or twice; WPFSM_SOAK=1 takes every one.

    In the sweep it is the first and the last time, in the others a seeded one: what lies between is the same look at
    the same job again and again.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(undisturbed(story)[0]):
        places[name].append(at)
    if SOAK:
        return list(range(len(undisturbed(story)[0])))
    if story == "sweep":
        return sorted({at for each in places.values() for at in (each[0], each[-1])})
    dice = random.Random(story)
    return sorted(dice.choice(each) for each in places.values())


def test_every_boundary_is_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """Each place where a controller may die is passed by one of the stories, and there is no other place."""
    reached = {name for story in STORIES for name in undisturbed(story)[0]} | passed_by_lanes("phases")
    assert reached == POINTS
    counts = {story: len(undisturbed(story)[0]) for story in STORIES}
    with capsys.disabled():
        print(f"\ncrash points: {sum(counts.values())} ({counts}), of {len(POINTS)} kinds")


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("story", STORIES)
def test_one_crash_anywhere_changes_nothing(story: str, shard: int) -> None:
    """Killed at any boundary and resumed, a loop makes the same jobs once, ends the same and releases all."""
    found = {}
    for at in chosen(story)[shard::SHARDS]:
        with world_of(story) as world:
            if wrong := differences(world, survive(world, at), story):
                found[point(story, at)] = wrong
    assert found == {}


@pytest.mark.parametrize("story", STORIES)
def test_two_crashes_change_nothing(story: str) -> None:
    """The same with a second crash soon after the first: a seeded sample of the pairs."""
    dice = random.Random(story)
    found = {}
    for _ in range(1000 if SOAK else 8):
        first, second = dice.randrange(len(undisturbed(story)[0])), int(dice.expovariate(1 / 20))
        with world_of(story) as world:
            if wrong := differences(world, survive(world, first, second), story):
                found[point(story, first), second] = wrong
    assert found == {}


@pytest.mark.skipif(not SOAK, reason="every pair: WPFSM_SOAK=1")
@pytest.mark.parametrize("shard", range(32))
def test_every_pair_of_crashes_changes_nothing(shard: int) -> None:
    """Every pair of crash points of one story, the second within the first forty boundaries after the first."""
    story, found = "sweep", {}
    for first in range(shard, len(undisturbed(story)[0]), 32):
        for second in range(40):
            with world_of(story) as world:
                if wrong := differences(world, survive(world, first, second), story):
                    found[point(story, first), second] = wrong
    assert found == {}
