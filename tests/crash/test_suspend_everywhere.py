"""Every crash story once more with a clock that ends the turn at every pause: an engine's clock.

Each turn is a new controller, which knows nothing but the loop's rows. The loop ends as it does in one process,
and waits for nothing longer or shorter than there.
"""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from crash_puppets import SkewedClock
from crash_runs import SOAK, Fuse, differences, point, undisturbed, world_of
from crash_stories import STORIES
from crash_world import Crash, World

from wpfsm.fsm import controller
from wpfsm.fsm.controller import Result
from wpfsm.fsm.errors import Refused, Suspended


class SuspendingClock(SkewedClock):
    """The shared clock, whose pauses end the turn."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock, 0.0)

    def pause(self, seconds: float) -> None:
        """End the turn."""
        raise Suspended(seconds)

    def sleep(self, seconds: float) -> None:
        """Let time pass here: a quiet time is measured by one process."""
        self._clock.sleep(seconds)


def take_turns(world: World, hook: Any = None, *, most: int = 3000) -> Result:
    """Turn after turn until the loop has ended, with an edit at each hand-off."""
    for _ in range(most):
        with contextlib.closing(world.controller(hook, clock=SuspendingClock(world.clock))) as owned:
            turn = controller.turn(owned.ports)
            if turn.exit_code == controller.HANDED_OFF:
                world.answer()
                with contextlib.suppress(Refused):
                    world.take_up(owned)
                continue
        if turn.exit_code is not None:
            return Result(turn.loop, turn.exit_code, turn.error)
        assert turn.look_at is not None
        world.clock.pause(max(0.0, turn.look_at - world.clock.now()))
    raise AssertionError(f"not Closed after {most} turns")


@pytest.mark.parametrize("story", STORIES)
def test_a_loop_in_turns_ends_as_in_one_process(story: str) -> None:
    """The same jobs once, the same end, nothing owed."""
    with world_of(story) as world:
        assert differences(world, take_turns(world), story) == []


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
