"""Every crash story once more with a clock that ends the turn at every pause: an engine's clock.

Each turn is a new controller, which knows nothing but the loop's rows. The loop ends as it does in one process,
and waits for nothing longer or shorter than there.
"""

from __future__ import annotations

import contextlib
import random

import crash_world
import pytest
from crash_checks import account_of, violations
from crash_lanes import STORIES as LANES
from crash_lanes import group_violations, instances_held
from crash_runs import SOAK, Fuse, differences, point, undisturbed, world_of
from crash_stories import JOB, METRIC, NUMPY, POOL, STORIES, grid
from crash_table import TableWorld, take_turns_of_lanes
from crash_turns import take_turns
from crash_world import Crash, Story, World
from strategy_stories import STORIES as STRATEGIES
from strategy_stories import Outcome
from strategy_stories import world_of as strategy_world

from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.engine.ports import pace_of
from wpfsm.adapters.engine.turns import NAP_SECONDS
from wpfsm.fsm.records import TERMINAL

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("story", STORIES)
def test_a_loop_in_turns_ends_as_in_one_process(story: str) -> None:
    """The same jobs once, the same end, nothing owed."""
    with world_of(story) as world:
        assert differences(world, take_turns(world), story) == []


@pytest.mark.parametrize("kills", [0, 3])
@pytest.mark.parametrize("story", LANES)
def test_two_lanes_in_turns_are_one_loop(story: str, kills: int) -> None:
    """On a team's table, with lanes that die in some turns: each trial once, two pools at most, one receipt."""
    dice, passed, held = random.Random(story), [0], []
    fatal = {dice.randrange(10, 250) for _ in range(kills)}

    def hook(name: str) -> None:
        passed[0] += 1
        if passed[0] in fatal:
            raise Crash(name)

    with contextlib.closing(TableWorld(LANES[story])) as world:
        take_turns_of_lanes(world, hook, watch=lambda: held.append(instances_held(world)))
        assert list(group_violations(world, held, 2)) == []
        assert passed[0] > max(fatal, default=0)


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_between_the_turns_changes_nothing(story: str) -> None:
    """The same with a controller that is killed in one of them: a seeded sample of the places."""
    dice, found = random.Random(story), {}
    for _ in range(200 if SOAK else 6):
        at = dice.randrange(len(undisturbed(story)[0]))
        with world_of(story) as world:
            with contextlib.suppress(Crash):
                take_turns(world, Fuse(at))
            if wrong := differences(world, take_turns(world), story):
                found[point(story, at)] = wrong
    assert found == {}


SAMPLED = ("bayes", "fix", "phases", "recipes", "until")
"""Those that go by what came before; WPFSM_SOAK=1 takes every one."""


@pytest.mark.parametrize("name", STRATEGIES if SOAK else SAMPLED)
def test_a_strategy_in_turns_asks_for_the_same_trials(name: str) -> None:
    """Nothing that a strategy goes by is in a process: the loops of the examples, a turn at a time."""
    with strategy_world(STRATEGIES[name]) as world:
        expected = world.finish()
        trials = Outcome(world, expected).trials
        account = account_of(world, expected)
    with strategy_world(STRATEGIES[name]) as world:
        result = take_turns(world)
        assert list(violations(world, result)) == []
        assert account_of(world, result) == account
        assert [(t.params, t.label, t.repeat) for t in Outcome(world, result).trials] == [
            (t.params, t.label, t.repeat) for t in trials
        ]


def test_an_hour_of_training_takes_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the job's end as an event and the timer as the net: at most 15 invocations, and 20 reads of the job."""
    story = Story(
        loop_file={"pool": POOL, "job": {**JOB, "max_runtime": "2h"}, "metric": METRIC, "strategy": grid(1)},
        script=lambda _: Script(seconds=3600, lines=["loss=0.5"]),
        source=NUMPY,
    )
    with contextlib.closing(World(story)) as world:
        with world.history() as history:
            monkeypatch.setattr(
                crash_world, "PACE", pace_of(history.find("story"), engine=True, loopback=False)
            )
        turns = [0]

        def until(look_at: float) -> None:
            turns[0] += 1
            ended = [job.status in TERMINAL for job in world.emulator.jobs()]
            while (
                world.clock.now() < look_at and [j.status in TERMINAL for j in world.emulator.jobs()] == ended
            ):
                world.emulator.advance(min(5.0, look_at - world.clock.now()))

        result = take_turns(world, nap=NAP_SECONDS, until=until)
        assert list(violations(world, result)) == []
        reads = [call for call in world.emulator.calls() if call.operation == "DescribeTrainingJob"]
        assert turns[0] + 1 <= 15
        assert len(reads) <= 20
