"""A loop in turns: each is a new controller, whose clock ends it at every pause longer than a nap."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from crash_puppets import SkewedClock
from crash_world import World

from wpfsm.fsm import controller
from wpfsm.fsm.controller import Result
from wpfsm.fsm.errors import Refused, Suspended


class SuspendingClock(SkewedClock):
    """The shared clock, whose pauses end the turn.

    Args:
        clock: What the others go by.
        nap: Seconds of the longest pause that is slept through.
    """

    def __init__(self, clock: Any, nap: float = 0.0) -> None:
        super().__init__(clock, 0.0)
        self._nap = nap

    def pause(self, seconds: float) -> None:
        """Sleep through it, or end the turn."""
        if seconds > self._nap or not self._nap:
            raise Suspended(seconds)
        self._clock.pause(seconds)

    def sleep(self, seconds: float) -> None:
        """Let time pass here: a quiet time is measured by one process."""
        self._clock.sleep(seconds)


def take_turns(
    world: World,
    hook: Any = None,
    *,
    most: int = 3000,
    nap: float = 0.0,
    until: Callable[[float], None] | None = None,
) -> Result:
    """Turn after turn until the loop has ended, with an answer to each hand-off.

    Args:
        world: Where the loop is.
        hook: Hears of every failpoint.
        most: Turns.
        nap: Seconds of the longest pause within a turn.
        until: Lets time pass until a turn is due, or something wakes the engine before.
    """
    for _ in range(most):
        with contextlib.closing(world.controller(hook, clock=SuspendingClock(world.clock, nap))) as owned:
            turn = controller.turn(owned.ports)
            if turn.exit_code == controller.HANDED_OFF:
                world.answer()
                with contextlib.suppress(Refused):
                    world.take_up(owned)
                continue
        if turn.exit_code is not None:
            return Result(turn.loop, turn.exit_code, turn.error)
        assert turn.look_at is not None
        if until is not None:
            until(turn.look_at)
        else:
            world.clock.pause(max(0.0, turn.look_at - world.clock.now()))
    raise AssertionError(f"not Closed after {most} turns")
