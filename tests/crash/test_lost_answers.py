"""The service answers late, not at all, or with an error; the operator gives up; the loop is never resumed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest
from crash_checks import at_the_service, violations
from crash_runs import SOAK, differences, killed, point, undisturbed, world_of
from crash_stories import STORIES
from crash_world import PACE, Crash, World, wire

from wpfsm.adapters.aws.account import AwsServices
from wpfsm.fsm.errors import StoreError, Unknown
from wpfsm.fsm.gateway import Gateway
from wpfsm.fsm.records import Outcome, State
from wpfsm.fsm.states.releasing.orphan import release_orphan

pytestmark = pytest.mark.soak

WRITES = {
    "before call service.create": "CreateTrainingJob",
    "before call service.stop": "StopTrainingJob",
    "before call service.set_keep_alive": "UpdateTrainingJob",
}
FAULTS = ("timeout_before_write", "error_5xx", "timeout_after_write", "throttle")


def account(world: World) -> Gateway:
    """The account of a world, for whoever has no loop."""
    return Gateway(AwsServices(wire().clients), world.clock, PACE)


def writes(story: str, kind: str) -> Sequence[int]:
    """The boundaries before writes to the service: every one with WPFSM_SOAK=1, else every other one.

    Which ones depends on the kind of fault, so that each write meets some.
    """
    every = [at for at, name in enumerate(undisturbed(story)[0]) if name in WRITES]
    return every if SOAK else every[FAULTS.index(kind) // 2 :: 2]


def spoil(world: World, at: int, kind: str, times: int, *, crash: bool) -> None:
    """Drive the loop while the write at one boundary goes wrong; crash when the call is over, or do not."""
    passed = 0

    def hook(name: str) -> None:
        nonlocal passed
        if passed == at:
            world.emulator.inject({"kind": kind, "operation": WRITES[name], "times": times})
        if passed == at + 1 and crash:
            raise Crash(name)
        passed += 1

    world.finish(hook)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("story", STORIES)
def test_a_write_whose_answer_is_lost_is_not_repeated_under_another_name(story: str, kind: str) -> None:
    """Each write in turn times out before or after it was done, or is answered with 5xx or throttling."""
    found = {}
    for at in writes(story, kind):
        with world_of(story) as world:
            spoil(world, at, kind, times=2, crash=False)
            if wrong := differences(world, world.finish(), story):
                found[point(story, at)] = wrong
    assert found == {}


@pytest.mark.parametrize("kind", ["timeout_before_write", "timeout_after_write"])
@pytest.mark.parametrize("story", STORIES)
def test_a_lost_answer_and_a_crash_together_change_nothing(story: str, kind: str) -> None:
    """The controller dies before it could note that it does not know what became of the write."""
    found = {}
    for at in writes(story, kind):
        with world_of(story) as world:
            with pytest.raises(Crash):
                spoil(world, at, kind, times=1, crash=True)
            if wrong := differences(world, world.finish(), story):
                found[point(story, at)] = wrong
    assert found == {}


def drive_on_a_locked_database(world: World, at: int) -> int:
    """Drive until a writer that stays makes one commit fail; the calls to the service that came after it."""
    passed, before = 0, 0
    with contextlib.closing(world.connect()) as other:

        def hook(name: str) -> None:
            nonlocal passed, before
            if passed == at:
                other.execute("begin immediate")
                before = len(world.emulator.calls())
            passed += 1

        with pytest.raises(StoreError, match="another process holds it"):
            world.finish(hook)
    return len(world.emulator.calls()) - before


@pytest.mark.parametrize("story", STORIES)
def test_a_commit_that_fails_stops_the_controller(story: str) -> None:
    """When a commit fails, no call follows it; a resume goes on as if the controller had been killed there."""
    names, found = undisturbed(story)[0], {}
    commits = [at for at, name in enumerate(names) if name.startswith("before commit")]
    for at in commits[:: 1 if SOAK else 9]:
        with world_of(story) as world:
            calls = drive_on_a_locked_database(world, at)
            wrong = differences(world, world.finish(), story)
            if wrong or calls:
                found[point(story, at)] = [*wrong, f"{calls} calls"]
    assert found == {}


@pytest.mark.parametrize("story", STORIES)
def test_an_operator_who_gives_up_after_a_crash_leaves_nothing(story: str) -> None:
    """Ctrl-C in the first moment of the resume resolves an unknown create, stops what runs, releases."""
    found = {}
    for at in range(1, len(undisturbed(story)[0]), 1 if SOAK else 17):
        with world_of(story) as world:
            killed(world, at)
            world.asked.reason = "interrupted"
            with world.history() as history:
                was_leaving = history.find("story").outcome is not None
            result = world.finish()
            wrong = list(violations(world, result))
            if not was_leaving and (result.exit_code, result.loop.outcome) != (130, Outcome.INTERRUPTED):
                wrong.append(f"{result.exit_code}, {result.loop.outcome}: {result.loop.why}")
            if wrong:
                found[point(story, at)] = wrong
    assert found == {}


@pytest.mark.parametrize("story", STORIES)
def test_a_loop_that_nobody_resumes_can_be_released_without_its_database(story: str) -> None:
    """Reaping by job name alone ends whatever a dead controller left; the loop then closes by `--abandon`."""
    found = {}
    for at in range(3, len(undisturbed(story)[0]), 1 if SOAK else 25):
        with world_of(story) as world:
            killed(world, at)
            for name in reversed(world.emulator.created()):
                release_orphan(account(world), name)
            wrong = [text for text in at_the_service(world) if "its row says" not in text]
            result = world.abandon()
            wrong += violations(world, result)
            if wrong or result.loop.state is not State.CLOSED:
                found[point(story, at)] = wrong
    assert found == {}


@pytest.mark.parametrize("story", STORIES)
def test_a_resume_that_waits_for_the_service_can_be_interrupted(story: str) -> None:
    """Ctrl-C while a resume waits to learn whose credentials it has: the loop is released, like anywhere else."""
    with world_of(story) as world:
        killed(world, undisturbed(story)[0].index("after commit submitted") + 2)

        def interrupt(name: str) -> None:
            if name == "before call service.identity":
                world.emulator.inject({"kind": "error_5xx", "operation": "GetCallerIdentity", "times": 1})
                world.asked.reason = "interrupted"

        result = world.drive(interrupt)
        assert list(violations(world, result)) == []
        assert (result.exit_code, result.loop.outcome) == (130, Outcome.INTERRUPTED)


def test_a_resume_that_cannot_reach_the_service_says_that_it_changed_nothing() -> None:
    """The outage outlasts the controller's patience: the loop stays where it was, and the message says so."""
    with world_of("stop") as world:
        killed(world, undisturbed("stop")[0].index("after commit submitted"))
        world.emulator.inject({"kind": "error_5xx", "operation": "GetCallerIdentity", "times": 500})
        with pytest.raises(Unknown) as refusal:
            world.drive()
        assert refusal.value.exit_code == 75
        assert "wpfsm resume story" in refusal.value.fix
        world.heal()
        assert differences(world, world.finish(), "stop") == []
