"""What befalls a loop or a group from outside, as rules that every state machine over them takes over."""

from __future__ import annotations

from crash_world import LOOP_ID, World
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.state.store import request_stop

ANY = {"throttle", "error_5xx", "timeout_before_write", "timeout_after_write"}
OPERATIONS = (
    "CreateTrainingJob",
    "DescribeTrainingJob",
    "UpdateTrainingJob",
    "StopTrainingJob",
    "ListTags",
    "*",
)
MEMBERS = (
    "WarmPoolStatus",
    "TrainingJobStatus",
    "TrainingJobArn",
    "SecondaryStatus",
    "Tags",
    "TrainingEndTime",
)
BEHAVIOURS: dict[str, Script] = {
    "learns": Script(seconds=15, lines=["loss=0.5"]),
    "fails": Script(seconds=10, lines=["ValueError: no"], exit_code=1),
    "is silent": Script(seconds=3600, lines=[]),
    "is refused": Script(refused="ClientError: the image cannot be read"),
}


class Fates(RuleBasedStateMachine):
    """Jobs that behave in several ways, time that passes, and a service that fails or answers strangely."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.behaviour = "learns"
        self.fates: dict[str, str] = {}

    def script(self, launch: Launch) -> Script:
        """What a job does: what was decided when it was first launched."""
        return BEHAVIOURS[self.fates.setdefault(launch.name, self.behaviour)]

    @rule(seconds=st.sampled_from([1, 30, 120, 700, 4000]))
    def time_passes(self, seconds: int) -> None:
        """While nobody looks; keep-alives run out."""
        self.world.emulator.advance(seconds)

    @rule(behaviour=st.sampled_from(sorted(BEHAVIOURS)))
    def the_next_job(self, behaviour: str) -> None:
        """Decides what the next job does."""
        self.behaviour = behaviour

    @rule(kind=st.sampled_from(sorted(ANY)), operation=st.sampled_from(OPERATIONS), times=st.integers(1, 4))
    def a_fault(self, kind: str, operation: str, times: int) -> None:
        """Calls fail, before or after they were carried out."""
        self.world.emulator.inject({"kind": kind, "operation": operation, "times": times})

    @rule(
        kind=st.sampled_from(["drop_member", "unknown_enum"]),
        member=st.sampled_from(MEMBERS),
        times=st.integers(1, 6),
    )
    def a_strange_answer(self, kind: str, member: str, times: int) -> None:
        """Members are missing, or have values from the future."""
        self.world.emulator.inject({"kind": kind, "member": member, "times": times})

    @rule(kind=st.sampled_from(["internal_error", "capacity_error", "absent_pool_status", "slow_start"]))
    def a_hard_fate(self, kind: str) -> None:
        """The next job meets hardware, capacity or a late status."""
        self.world.emulator.inject({"kind": kind, "seconds": 15, "times": 1})

    @rule()
    def stop_is_asked_for(self) -> None:
        """``wpfsm stop``."""
        connection = self.world.connect()
        request_stop(connection, self.world.database, LOOP_ID, self.world.clock.now())
        connection.close()
