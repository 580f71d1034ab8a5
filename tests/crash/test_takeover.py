"""A controller that was suspended and taken over wakes up, and does nothing more."""

from __future__ import annotations

import contextlib

import pytest
from crash_checks import violations
from crash_runs import SOAK, killed, point, undisturbed, world_of
from crash_stories import STORIES
from crash_world import World

from wpfsm.fsm import controller
from wpfsm.fsm.errors import Fenced, Held, Refused
from wpfsm.state.paths import siblings
from wpfsm.state.pool_leases import LocalPoolLeases

pytestmark = pytest.mark.soak


def drive_elsewhere(world: World) -> controller.Result:
    """Another host takes the loop over and drives it to its end."""
    for _ in range(20):
        owned = world.controller(host="there")
        with contextlib.closing(owned):
            try:
                world.take_up(owned)
                result = controller.drive(owned.ports)
            except Refused:
                world.answer()
                continue
        if result.exit_code != controller.HANDED_OFF:
            return result
        world.answer()
    raise AssertionError("not Closed")


def test_a_resumed_loop_takes_its_pool_key_again() -> None:
    """The right to the pool key ended with the process that was killed; the one that resumes holds it anew."""
    with world_of("sweep") as world:
        killed(world, undisturbed("sweep")[0].index("after commit settled"))
        refused: list[int] = []

        def hook(name: str) -> None:
            if name == "before call logs.read" and not refused:
                with world.history() as history:
                    key = history.find("story").pool_key
                with pytest.raises(Held) as refusal:
                    LocalPoolLeases(siblings(world.database, "locks-of-here")).take(key, "another")
                refused.append(refusal.value.exit_code)

        world.drive(hook)
        assert refused == [5]


@pytest.mark.parametrize("story", STORIES)
def test_a_fenced_controller_makes_no_call(story: str) -> None:
    """Suspended at any boundary while another host finishes the loop, it wakes up, calls nobody and ends."""
    found = {}
    for at in range(1, len(undisturbed(story)[0]), 1 if SOAK else 17):
        with world_of(story) as world:
            if wrong := overtaken(world, at):
                found[point(story, at)] = wrong
    assert found == {}


def overtaken(world: World, at: int) -> list[str]:
    """Suspend a controller at a boundary, let another one finish, wake the first."""
    passed = 0
    ended: list[controller.Result] = []
    calls = [0]

    def hook(name: str) -> None:
        nonlocal passed
        if passed == at:
            ended.append(drive_elsewhere(world))
            calls[0] = len(world.emulator.calls())
        passed += 1

    try:
        world.finish(hook)
    except (Fenced, Refused):
        pass  # refused: it was about to propose, and the loop is over
    else:
        if passed <= len(world.story.edits) + len(world.story.proposals):
            return ["it was not fenced"]
    made = [f"{call.operation} {call.job}" for call in world.emulator.calls()[calls[0] :]]
    return [*(f"after it was taken over: {call}" for call in made), *violations(world, ended[0])]
