"""Controllers that stop at every boundary until they are told to go on: paused, interleaved, killed at will."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from crash_world import Crash, World

from wpfsm.fsm import controller


class SkewedClock:
    """The shared clock as a host with a wrong time sees it.

    Args:
        clock: What the others go by.
        skew: Seconds that this one is ahead.
    """

    def __init__(self, clock: Any, skew: float) -> None:
        self._clock = clock
        self.skew = skew

    def now(self) -> float:
        """See :class:`wpfsm.fsm.ports.Clock`."""
        return float(self._clock.now()) + self.skew

    def pause(self, seconds: float) -> None:
        """See :class:`wpfsm.fsm.ports.Clock`."""
        self._clock.pause(seconds)

    def sleep(self, seconds: float) -> None:
        """See :class:`wpfsm.fsm.ports.Clock`."""
        self.pause(seconds)


class Puppet:
    """One controller process. Only one puppet moves at a time, so that every run can be repeated.

    Args:
        world: Where it drives the loop.
        host: Where it is; on one host the kernel's lock keeps a second one out.
        skew: Seconds that its clock is ahead.
    """

    def __init__(self, world: World, host: str, skew: float = 0.0) -> None:
        self.world = world
        self.host = host
        self.at = "start"
        self.done = False
        self.epoch: int | None = None
        self.result: controller.Result | None = None
        self.error: BaseException | None = None
        self.clock = SkewedClock(world.clock, skew)
        self._killed = False
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, name=f"controller-{host}", daemon=True)
        self._thread.start()

    def step(self, failpoints: int = 1) -> None:
        """Let it run past so many boundaries, or to its end."""
        for _ in range(failpoints):
            if self.done:
                return
            self._go.release()
            if not self._stands.acquire(timeout=120):
                raise AssertionError(f"{self.host} does not come to its next boundary after {self.at}")

    def finish(self) -> None:
        """Let it run to its end."""
        while not self.done:
            self.step()

    def kill(self) -> None:
        """End it where it stands."""
        self._killed = True
        self.step()
        self._thread.join(60)

    def _live(self) -> None:
        self._go.acquire()
        try:
            if self._killed:
                raise Crash("before it began")
            with contextlib.closing(
                self.world.controller(self._hook, host=self.host, clock=self.clock)
            ) as own:
                self.epoch = own.ports.store.loop().epoch
                self.result = controller.drive(own.ports)
        except BaseException as error:
            self.error = error
        self.done = True
        self._stands.release()

    def _hook(self, name: str) -> None:
        self.at = name
        self._stands.release()
        self._go.acquire()
        if self._killed:
            raise Crash(name)
