"""Answers that no documentation promises, and clocks that jump: nothing is concluded from what is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest
from crash_checks import at_the_service, violations
from crash_puppets import SkewedClock
from crash_runs import SOAK, killed, point, undisturbed, world_of
from crash_stories import patient
from crash_world import World, wire

from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.adapters.emulator.engine.faults import UNKNOWN_VALUE
from wpfsm.adapters.emulator.runner.base import JSONValue
from wpfsm.fsm import controller
from wpfsm.fsm.errors import Unknown
from wpfsm.fsm.records import Outcome, State

pytestmark = pytest.mark.soak

ENUMS = ("Status", "TrainingJobStatus", "SecondaryStatus")


class Spoiler:
    """Drops members, empties lists and invents statuses, at random places of some answers.

    Args:
        dice: What is spoiled.
        share: Of all answers.
    """

    def __init__(self, dice: random.Random, share: float) -> None:
        self._dice = dice
        self._share = share

    def __call__(self, answer: Any) -> Any:
        """Spoil one answer, perhaps."""
        if self._dice.random() < self._share and (places := list(_places(answer))):
            holder, key = self._dice.choice(places)
            value = holder[key]
            if key in ENUMS and self._dice.random() < 0.5:
                holder[key] = UNKNOWN_VALUE
            elif isinstance(value, list) and self._dice.random() < 0.5:
                holder[key] = []
            elif self._dice.random() < 0.2:
                holder[key] = None
            else:
                del holder[key]
        return answer


def _places(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner)


@contextlib.contextmanager
def spoiled(dice: random.Random, share: float) -> Iterator[None]:
    """Answers are spoiled for a while."""
    wire().spoil = Spoiler(dice, share)
    try:
        yield
    finally:
        wire().spoil = None


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_a_loop_that_closes_on_spoiled_answers_has_released(share: float) -> None:
    """Whatever the answers lack: Closed means that nothing is left at the service, and once they are whole it closes."""
    for seed in range(300 if SOAK else 15):
        world = World(patient())
        try:
            with spoiled(random.Random(f"{share}/{seed}"), share), contextlib.suppress(Unknown):
                result = world.drive()
                if result.loop.state is State.CLOSED:
                    assert list(at_the_service(world)) == [], seed
            assert list(violations(world, world.finish())) == [], seed
        finally:
            world.close()


@pytest.mark.parametrize("member", ["WarmPoolStatus", "TrainingJobStatus", "TrainingJobArn", "Tags"])
def test_a_member_that_never_comes_is_not_taken_for_gone(member: str) -> None:
    """A member that the service leaves out for good leads to exit code 30, 75 or an error, never to 0 with a leak."""
    with_fault = World(patient())
    with_fault.emulator.inject({"kind": "drop_member", "member": member})
    try:
        with contextlib.suppress(Unknown):
            result = with_fault.drive()
            assert result.loop.state is not State.CLOSED or list(at_the_service(with_fault)) == []
        with_fault.heal()
        assert list(violations(with_fault, with_fault.finish())) == []
    finally:
        with_fault.close()


NOT_FOUND = {
    "kind": "error", "operation": "DescribeTrainingJob", "code": "ValidationException",
    "message": "Requested resource not found.",
}  # fmt: skip


@pytest.mark.parametrize(
    "moment", ["after call service.create", "after commit observed", "after commit release"]
)
def test_a_job_that_is_not_found_for_a_while_is_not_gone(moment: str) -> None:
    """Once a job was seen, the answer that there is none proves nothing, however often it comes."""
    world = World(patient())
    armed = False

    def hook(name: str) -> None:
        nonlocal armed
        if name == moment and not armed:
            armed = True
            world.emulator.inject({**NOT_FOUND, "times": 8})

    result = world.drive(hook)
    assert armed
    assert list(violations(world, result)) == []
    assert result.exit_code == 0
    world.close()


def test_a_pool_that_is_not_mentioned_any_more_is_undecided() -> None:
    """InUse while the job ran, and no word after its hardware failed: settled by a refused update, not waited for."""
    story = patient()
    rules = [{"when": "any", "do": "release"}]
    faults: tuple[JSONValue, ...] = ({"kind": "internal_error", "job": "*-001", "seconds": 5},)
    world = World(
        dataclasses.replace(story, loop_file={**story.loop_file, "on_failure": rules}, faults=faults)
    )
    result = world.drive()
    assert list(violations(world, result)) == []
    assert (result.exit_code, result.loop.outcome) == (1, Outcome.FAILED)
    with world.history() as history:
        evidence = [obligation.evidence for obligation in history.obligations("story")]
    assert "the service refused an update" in evidence[0]
    world.close()


def test_a_status_from_the_future_is_not_an_end() -> None:
    """A TrainingJobStatus that nobody knows is waited out; a WarmPoolStatus that nobody knows is not released."""
    world = World(patient())
    world.emulator.inject(
        {
            "kind": "unknown_enum",
            "operation": "DescribeTrainingJob",
            "member": "TrainingJobStatus",
            "times": 5,
        },
        {"kind": "unknown_enum", "operation": "DescribeTrainingJob", "member": "WarmPoolStatus.Status"},
    )
    result = world.drive()
    assert result.exit_code == 30
    assert "AValueFromTheFuture" in str(result.error)
    world.heal()
    assert list(violations(world, world.finish())) == []
    world.close()


def test_an_empty_page_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service filters after it has paged: a listing goes on for as long as there is a token."""
    world = World(patient())
    world.drive()
    monkeypatch.setattr("wpfsm.adapters.aws.service.PAGE", 1)
    before = len(world.emulator.calls())
    found = [job.name for job in SageMakerTraining(wire().clients).list_jobs(pool_status="Reused")]
    assert found == ["story-001"]
    pages = world.emulator.calls()[before:]
    assert len(pages) == 2  # the newest job is on the first page, and is not Reused
    world.close()


@pytest.mark.parametrize("days", [1, -1, 400, -400])
def test_a_clock_that_jumps_between_two_controllers(days: int) -> None:
    """Killed, and resumed with a clock that is days off: the same jobs once each, and nothing left."""
    found = {}
    names, _ = undisturbed("sweep")
    for at in range(2, len(names), 1 if SOAK else 24):
        with world_of("sweep") as world:
            killed(world, at)
            clock = SkewedClock(world.clock, days * 86400.0)
            with contextlib.closing(world.controller(clock=clock)) as owned:
                world.take_up(owned)
                result = controller.drive(owned.ports)
            wrong = list(violations(world, result))
            if sorted(world.emulator.created()) != [f"story-{number:03d}" for number in range(1, 6)]:
                wrong.append(str(world.emulator.created()))
            if wrong:
                found[point("sweep", at)] = wrong
    assert found == {}


class JumpingClock(SkewedClock):
    """A clock that somebody sets, now and then, while the controller runs."""

    def __init__(self, clock: Any, dice: random.Random) -> None:
        super().__init__(clock, 0.0)
        self._dice = dice

    def pause(self, seconds: float) -> None:
        """Let time pass; afterwards the clock may be wrong by hours."""
        super().pause(seconds)
        if self._dice.random() < 0.1:
            self.skew = self._dice.uniform(-7200, 7200)


def test_a_clock_that_is_set_while_the_controller_runs() -> None:
    """It may end a wait early or a loop late, with exit code 30 at worst: never Closed with something left."""
    for seed in range(100 if SOAK else 12):
        with world_of("sweep") as world:
            clock = JumpingClock(world.clock, random.Random(seed))
            with contextlib.closing(world.controller(clock=clock)) as owned, contextlib.suppress(Unknown):
                result = controller.drive(owned.ports)
                assert result.loop.state is not State.CLOSED or list(at_the_service(world)) == []
            assert list(violations(world, world.abandon())) == [], seed
