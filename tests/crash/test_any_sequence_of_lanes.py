"""No sequence of events ends a group of two lanes with something owed: kills, takeovers, faults, stolen pools, time.

A rule that does not apply does nothing: to reject the example would throw away all that led there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crash_checks import LIVE, at_the_service, created_twice, in_the_database
from crash_fates import Fates
from crash_lanes import Group, Lane
from crash_runs import SOAK
from crash_stories import grid, patient
from crash_world import LOOP_ID, Crash, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.fsm.errors import Fenced, Held, Unknown
from wpfsm.fsm.records import State

LANE = st.integers(1, 2)


class AnySequenceOfLanes(Fates):
    """Events in any order against one group of two lanes."""

    def __init__(self) -> None:
        super().__init__()
        story = patient(self.script)
        more = {"lanes": 2, "strategy": grid(1, 3, 4, 5), "limits": {"max_jobs": 9}}
        self.world = World(replace(story, loop_file={**story.loop_file, **more}))
        self.group = Group(self.world)
        self.suspended: list[Lane] = []

    # What lanes do

    @rule(which=LANE, failpoints=st.integers(1, 40))
    def one_goes_on(self, which: int, failpoints: int) -> None:
        """One lane runs for a while, and its pauses end early; the other one stands still."""
        lane = self.group.lanes[which]
        for _ in range(failpoints):
            lane.step()

    @rule(steps=st.integers(1, 120))
    def both_go_on(self, steps: int) -> None:
        """Both lanes run, in the emulator's time."""
        for _ in range(steps):
            if not self.group.step():
                return

    @rule(which=LANE, again=st.booleans())
    def kill(self, which: int, again: bool) -> None:
        """Kill -9; the parent starts the lane again, or it is gone too."""
        if not self.group.lanes[which].done:
            self.group.kill(which, again=again)

    @rule()
    def resume(self) -> None:
        """``wpfsm resume``: a process for each lane that nobody drives."""
        self.group.resume()

    @precondition(lambda self: len(self.suspended) < 2)
    @rule(which=LANE)
    def another_host_takes_a_lane_over(self, which: int) -> None:
        """Its lane stands still meanwhile, and does not know."""
        before = self.group.lanes[which]
        if before.done or not before.epoch:
            return
        self.suspended.append(before)
        self.group.lanes[which] = Lane(
            self.world, which, lambda *_: None, host=f"host-{len(self.suspended)}-{which}"
        )

    @rule(failpoints=st.integers(1, 20))
    def a_suspended_one_wakes_up(self, failpoints: int) -> None:
        """It was taken over: it may end, and may call nobody."""
        for lane in [lane for lane in self.suspended if not lane.done][:1]:
            for _ in range(failpoints):
                self._wake(lane)

    # What befalls them

    @rule(event=st.sampled_from(["patch_update", "stolen_pool"]))
    def a_pool_is_struck(self, event: str) -> None:
        """Somebody takes an idle pool, or the service ends it."""
        for job in reversed(self.world.emulator.jobs()):
            try:
                self.world.emulator.engine.strike(job.place, job.name, event)
            except ServiceError:
                continue
            return

    # What must hold

    @invariant()
    def at_most_one_job_a_lane_lives(self) -> None:
        """As many jobs run as there are lanes, each of another lane, and of another trial."""
        alive = {job.name for job in self.world.emulator.jobs() if job.status in LIVE and not job.foreign}
        with self.world.history() as history:
            rows = [job for job in history.jobs(LOOP_ID) if job.name in alive]
        assert len(rows) == len(alive), "each is in the database"
        for number in (Counter(job.lane for job in rows), Counter(job.trial for job in rows)):
            assert max(number.values(), default=1) == 1, alive

    @invariant()
    def no_name_twice(self) -> None:
        """Nothing is created twice, whoever asks."""
        wrong = [text for text in created_twice(self.world) if "its row says" not in text]
        assert wrong == []

    @invariant()
    def the_database_is_sound(self) -> None:
        """No gap in the history; a closed group owes nothing."""
        assert list(in_the_database(self.world)) == []

    def teardown(self) -> None:
        """The faults end; whoever was suspended wakes up; somebody resumes, until every lane is closed."""
        try:
            self.world.heal()
            for lane in self.suspended:
                for _ in range(1000):  # one that nobody took over waits for its sibling, and is killed then
                    if lane.done:
                        break
                    self._wake(lane)
                if not lane.done:
                    lane.kill()
            for _ in range(10):
                self.group.resume()
                if not self.group.step():
                    break
                self.group.run()
            assert list(self._violations()) == []
        finally:
            for lane in self.suspended:
                if not lane.done:
                    lane.kill()
            self.group.close()
            self.world.close()

    def _wake(self, lane: Lane) -> None:
        """Move one that was taken over; from the takeover on it must not call anybody."""
        stale, before = 0 < lane.epoch < self.world.epoch(lane.number), len(self.world.emulator.calls())
        if not stale:
            self.world.clock.advance(max(0.0, lane.wakes - self.world.clock.now()))
        lane.step()
        made = self.world.emulator.calls()[before:] if stale else []
        assert not made, f"taken over, and still calls {[call.operation for call in made]}"

    def _violations(self) -> Iterator[str]:
        yield from at_the_service(self.world)
        yield from in_the_database(self.world)
        yield from (f"unexpected error: {error!r}" for error in self.world.progress.troubles)
        for lane in (*self.suspended, *self.group.lanes.values()):
            if lane.error is not None and not isinstance(lane.error, Crash | Fenced | Held | Unknown):
                yield f"lane {lane.number} ended in {lane.error!r}"
        with self.world.history() as history:
            lanes, jobs = history.lanes(LOOP_ID), history.jobs(LOOP_ID)
        receipt = lanes[0].receipt
        covered = {line.job for line in receipt.jobs} if receipt else set()
        yield from (f"lane {each.lane} is {each.state}" for each in lanes if each.state is not State.CLOSED)
        yield from (
            f"{job.name} is not on the receipt" for job in jobs if job.arn and job.name not in covered
        )


TestAnySequenceOfLanes: Any = AnySequenceOfLanes.TestCase
TestAnySequenceOfLanes.settings = settings(
    max_examples=1000 if SOAK else 20,
    stateful_step_count=50 if SOAK else 30,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    suppress_health_check=list(HealthCheck),
)
