"""No sequence of events ends a loop with something owed: two hosts, kills, pauses, faults, stolen pools, time."""

from __future__ import annotations

from typing import Any

import pytest
from crash_checks import LIVE, created_twice, in_the_database, violations
from crash_fates import Fates
from crash_puppets import Puppet
from crash_runs import SOAK
from crash_stories import patient
from crash_world import Crash, World
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.fsm.errors import Fenced, Held, Unknown
from wpfsm.fsm.records import State

pytestmark = pytest.mark.soak

NOT_FOUND = {
    "kind": "error", "operation": "DescribeTrainingJob", "code": "ValidationException",
    "message": "Requested resource not found.",
}  # fmt: skip


class AnySequence(Fates):
    """Events in any order against one loop."""

    def __init__(self) -> None:
        super().__init__()
        self.missed = False
        self.puppets: list[Puppet] = []
        self.world = World(patient(self.script))

    @initialize()
    def begin(self) -> None:
        """The first controller."""
        self.puppets.append(Puppet(self.world, "a"))

    # What controllers do

    @precondition(lambda self: len(self.puppets) < 4)
    @rule(host=st.sampled_from("ab"), skew=st.sampled_from([0.0, 3.0, -3.0]))
    def another_controller(self, host: str, skew: float) -> None:
        """A resume, on the same host or on another one that does not see the lock."""
        self.puppets.append(Puppet(self.world, host, skew))

    @rule(which=st.integers(0, 3), failpoints=st.integers(1, 60))
    def go_on(self, which: int, failpoints: int) -> None:
        """One controller runs for a while; the others stand still."""
        self._step(self._puppet(which), failpoints)

    @rule(which=st.integers(0, 3))
    def run_to_the_end(self, which: int) -> None:
        """One controller runs as far as it can."""
        puppet = self._puppet(which)
        while not puppet.done:
            self._step(puppet, 1)

    @rule(which=st.integers(0, 3))
    def kill(self, which: int) -> None:
        """Kill -9."""
        self._puppet(which).kill()

    # What befalls them

    @precondition(lambda self: not self.missed)
    @rule(times=st.integers(1, 2))
    def a_job_is_not_found(self, times: int) -> None:
        """The service does not know a job that it has; for no longer than the quiet time of a lost create."""
        self.missed = True
        self.world.emulator.inject({**NOT_FOUND, "times": times})

    @rule(event=st.sampled_from(["patch_update", "stolen_pool"]))
    def the_pool_is_struck(self, event: str) -> None:
        """Somebody takes the idle pool, or the service ends it."""
        for job in reversed(self.world.emulator.jobs()):
            try:
                self.world.emulator.engine.strike(job.place, job.name, event)
            except ServiceError:
                continue
            return
        assume(False)

    # What must hold

    @invariant()
    def at_most_one_job_lives(self) -> None:
        """A trial's attempt is one job, and trials follow one another."""
        alive = [job.name for job in self.world.emulator.jobs() if job.status in LIVE and not job.foreign]
        assert len(alive) <= 1, alive

    @invariant()
    def no_name_twice(self) -> None:
        """Nothing is created twice, whoever asks."""
        wrong = [text for text in created_twice(self.world) if "its row says" not in text]
        assert wrong == []

    @invariant()
    def the_database_is_sound(self) -> None:
        """No gap in the history; Closed owes nothing."""
        assert list(in_the_database(self.world)) == []

    def teardown(self) -> None:
        """The faults end; whoever was suspended wakes up; somebody resumes."""
        try:
            self.world.heal()
            for puppet in self.puppets:
                while not puppet.done:
                    self._step(puppet, 1)
            for puppet in self.puppets:
                self._judge(puppet)
            result = self.world.finish()
            assert list(violations(self.world, result)) == []
        finally:
            for puppet in self.puppets:
                puppet.kill()
            self.world.close()

    def _puppet(self, which: int) -> Puppet:
        living = [puppet for puppet in self.puppets if not puppet.done]
        assume(bool(living))
        return living[which % len(living)]

    def _step(self, puppet: Puppet, failpoints: int) -> None:
        """Move one controller; one that was taken over must not call anybody any more."""
        for _ in range(failpoints):
            stale, before = self._taken_over(puppet), len(self.world.emulator.calls())
            puppet.step()
            made = self.world.emulator.calls()[before:] if stale else []
            assert not (stale and made), f"taken over, and still calls {[c.operation for c in made]}"
            if puppet.done:
                return

    def _taken_over(self, puppet: Puppet) -> bool:
        return puppet.epoch is not None and puppet.epoch != self.world.epoch()

    def _judge(self, puppet: Puppet) -> None:
        """How a controller may end; exit code 0 means Closed, and nothing owed."""
        if puppet.error is not None:
            assert isinstance(puppet.error, Crash | Fenced | Held | Unknown), repr(puppet.error)
        elif puppet.result is not None and puppet.result.exit_code == 0:
            assert puppet.result.loop.state is State.CLOSED


TestAnySequence: Any = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=3000 if SOAK else 20,
    stateful_step_count=50 if SOAK else 30,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    suppress_health_check=list(HealthCheck),
)
