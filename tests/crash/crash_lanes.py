"""A group of lanes in one process and in the emulator's time: each lane a controller that stops at every boundary.

Time passes for all of them at once: a lane that pauses stands still until its moment, and the clock jumps to the next
one. So the wall time of a group is what it would be, and every run can be repeated.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from crash_checks import at_the_service, in_the_database
from crash_stories import JOB, METRIC, NUMPY, POOL, grid, learns
from crash_world import LOOP_ID, Crash, Story, World, lane_id

from wpfsm.adapters.emulator.engine.records import PoolStatus
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm import controller
from wpfsm.fsm.errors import Fenced
from wpfsm.fsm.records import Outcome, State

PAUSE = "pause"


def uneven(launch: Launch) -> Script:
    """Jobs of different lengths, so that lanes meet in every way."""
    number = int(launch.name[-3:])
    return Script(seconds=15 + 11 * (number % 3), lines=[f"loss=0.{number}"])


def two(trials: int = 5, **sections: object) -> Story:
    """A sweep on two lanes."""
    whole = {"pool": POOL, "job": JOB, "metric": METRIC, "strategy": grid(*range(1, trials + 1)), "lanes": 2}
    return Story(loop_file={**whole, **sections}, script=uneven, source=NUMPY)


MENDED = Story(
    loop_file={"pool": POOL, "job": JOB, "metric": METRIC, "strategy": grid(1, 3, 4, 5), "lanes": 2},
    script=learns,
    source={"train.py": "import numpy\n", "requirements.txt": "# nothing yet\n"},
    faults=(
        {"kind": "patch_update", "job": "*-003"},
        {"kind": "timeout_after_write", "operation": "CreateTrainingJob", "job": "*-004", "times": 1},
    ),
)
"""A missing module that is patched, a lost pool, an unknown create: on two lanes."""
PHASES = two(strategy=[grid(1, 2, 3), {**grid(8, 9), "from": "best"}])
"""Two phases: the second one starts from the best of the first, so that a lane must wait for the other."""
STORIES: Mapping[str, Story] = {"sweep": two(), "mended": MENDED, "phases": PHASES}


class _Clock:
    """The group's clock as one lane has it: a pause ends when the others have caught up."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def now(self) -> float:
        """See :class:`wpfsm.fsm.ports.Clock`."""
        return self._lane.world.clock.now()

    def pause(self, seconds: float) -> None:
        """See :class:`wpfsm.fsm.ports.Clock`."""
        self._lane.wakes = self.now() + max(0.001, seconds)
        self._lane.stand(PAUSE)

    def sleep(self, seconds: float) -> None:
        """The same."""
        self.pause(seconds)


class Lane:
    """One lane's controller process.

    Args:
        world: Where.
        number: Which lane.
        seen: Hears of every boundary that it passes.
        edited: Take up an edit first, as ``wpfsm resume`` does.
        host: Where it is; on one host the kernel's lock keeps a second one out.
    """

    def __init__(
        self,
        world: World,
        number: int,
        seen: Callable[[int, str], None],
        *,
        edited: bool = False,
        host: str = "here",
    ) -> None:
        self.world = world
        self.number = number
        self.at = "start"
        self.wakes = 0.0
        self.epoch = 0
        self.done = False
        self.result: controller.Result | controller.Turn | None = None
        self.error: BaseException | None = None
        self._seen = seen
        self._killed = False
        self._edited = edited
        self._host = host
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        threading.Thread(target=self._live, name=f"lane-{number}", daemon=True).start()

    def step(self) -> None:
        """Run to the next boundary, or to the end."""
        if not self.done:
            self._go.release()
            if not self._stands.acquire(timeout=120):
                raise AssertionError(f"lane {self.number} does not come to its next boundary after {self.at}")

    def kill(self) -> None:
        """End it where it stands, as kill -9 does."""
        self._killed = True
        self.step()

    def stand(self, name: str) -> None:
        """Stop here until told to go on."""
        self.at = name
        if name != PAUSE:
            self._seen(self.number, name)
        self._stands.release()
        self._go.acquire()
        if self._killed:
            raise Crash(name)

    def _live(self) -> None:
        self._go.acquire()
        try:
            if not self._killed:
                clock = _Clock(self)
                with contextlib.closing(
                    self.world.controller(self.stand, host=self._host, clock=clock, lane=self.number)
                ) as own:
                    self.epoch = own.ports.store.loop().epoch
                    if self._edited:
                        self.world.take_up(own)
                    self.result = controller.turn(own.ports)
        except BaseException as error:
            self.error = error
        self.done = True
        self._stands.release()


class Group:
    """The lanes of a story, and the parent that starts one again that was killed.

    Args:
        world: Of a story whose loop file has lanes.
        pick: Chooses which lane goes on, of those whose moment has come; the first one by default.
    """

    def __init__(self, world: World, pick: Callable[[list[Lane]], Lane] | None = None) -> None:
        self.world = world
        self.names: list[tuple[int, str]] = []
        self.held: list[int] = []
        self._pick = pick or (lambda ready: ready[0])
        with world.history() as history:
            self.count = len(history.lanes(lane_id(1)))
        self.lanes = {number: self._lane(number) for number in range(1, self.count + 1)}

    def _lane(self, number: int, *, edited: bool = False) -> Lane:
        return Lane(self.world, number, self._passed, edited=edited)

    def _passed(self, number: int, name: str) -> None:
        self.names.append((number, name))
        if name.startswith("after call service."):
            self.held.append(instances_held(self.world))

    def step(self) -> bool:
        """One lane goes on to its next boundary; False once every lane has ended."""
        living = [lane for lane in self.lanes.values() if not lane.done]
        if not living:
            return False
        now = self.world.clock.now()
        ready = [lane for lane in living if lane.wakes <= now]
        if not ready:
            nearest = min(lane.wakes for lane in living)
            self.world.clock.advance(nearest - now)
            self.held.append(instances_held(self.world))
            ready = [lane for lane in living if lane.wakes <= nearest]
        self._pick(ready).step()
        return True

    def run(self, *, most: int = 200_000) -> None:
        """Until every lane has ended."""
        for _ in range(most):
            if not self.step():
                return
        raise AssertionError(
            f"not ended after {most} steps: {[(n, lane.at) for n, lane in self.lanes.items()]}"
        )

    def kill(self, number: int, *, again: bool = True) -> None:
        """Kill a lane's process; the parent starts it again."""
        self.lanes[number].kill()
        if again:
            self.lanes[number] = self._lane(number)

    def resume(self, *, edited: bool = False) -> None:
        """What ``wpfsm resume`` does: a process for each lane that is not closed."""
        with self.world.history() as history:
            states = {lane.lane: str(lane.state) for lane in history.lanes(lane_id(1))}
        for number, state in states.items():
            if state != "Closed" and self.lanes[number].done:
                self.lanes[number] = self._lane(number, edited=edited)

    def close(self) -> None:
        """End what still stands somewhere."""
        for lane in self.lanes.values():
            if not lane.done:
                lane.kill()

    def errors(self) -> list[BaseException]:
        """What ended lanes, other than their own end."""
        return [
            lane.error
            for lane in self.lanes.values()
            if lane.error is not None and not isinstance(lane.error, Fenced)
        ]


def instances_held(world: World) -> int:
    """Instances that run a job or idle in a pool now, by the emulator's own records."""
    return sum(pool.status is not PoolStatus.TERMINATED for pool in world.emulator.pools())


def at_random(dice: random.Random) -> Callable[[list[Any]], Any]:
    """Any lane that may go on."""
    return dice.choice


def passed_by_lanes(story: str) -> set[str]:
    """The boundaries that two lanes pass."""
    world = World(STORIES[story])
    group = Group(world)
    try:
        group.run()
        return {name for _, name in group.names}
    finally:
        group.close()
        world.close()


def violations(group: Group) -> Iterator[str]:
    """What is wrong after a group has ended, in words; nothing when the promise was kept."""
    yield from (f"unexpected error: {error!r}" for error in group.errors())
    yield from group_violations(group.world, group.held, group.count)


def group_violations(world: World, held: Sequence[int], count: int) -> Iterator[str]:
    """The same, however its lanes were driven.

    Args:
        world: Where.
        held: Instances that were held, at every moment.
        count: Lanes.
    """
    yield from at_the_service(world)
    yield from in_the_database(world)
    yield from (f"trouble: {error!r}" for error in world.progress.troubles)
    if max(held, default=0) > count:
        yield f"{max(held)} instances were held by {count} lanes"
    with world.history() as history:
        lanes, trials, jobs = history.lanes(LOOP_ID), history.trials(LOOP_ID), history.jobs(LOOP_ID)
        owed = [o.job_name for o in history.obligations(LOOP_ID) if o.status == "owed"]
        first = lanes[0]
    yield from (f"lane {each.lane} is {each.state}" for each in lanes if each.state is not State.CLOSED)
    yield from (f"closed with an obligation of {name}" for name in owed)
    if first.outcome is not Outcome.COMPLETED:
        yield f"the group ended {first.outcome}: {first.why}"
    if [t.number for t in trials] != list(range(1, len(trials) + 1)):
        yield f"trials {[t.number for t in trials]}"
    yield from (
        f"{count} trials are {label}"
        for label, count in Counter(t.label for t in trials).items()
        if count > 1
    )
    yield from (f"trial {t.number} is {t.state}" for t in trials if t.state != "completed")
    covered = {line.job for line in first.receipt.jobs} if first.receipt else set()
    yield from (f"{job.name} is not on the receipt" for job in jobs if job.name not in covered)
