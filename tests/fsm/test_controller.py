"""A controller drives a loop to its end, leaves one that waits, and lets nothing pass Releasing by."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from crash_checks import violations
from watched_world import FileRenderer, Watched, loop_file

from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.controller import ACTIVITIES, HANDED_OFF, Result, drive
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import Outcome, State


@pytest.fixture
def waiting() -> Iterator[Watched]:
    """A loop in a hand-off."""
    rules = [{"when": "any", "do": "handoff"}]
    broken = Script(seconds=50, lines=["ValueError: the shapes do not fit"], exit_code=1)
    world = Watched(loop_file(on_failure=rules), script=lambda _: broken)
    assert world.run().exit_code == HANDED_OFF
    yield world
    world.close()


def again(world: Watched) -> tuple[Result, list[str]]:
    """One more controller: what it comes to, and the boundaries of the service that it passes."""
    passed: list[str] = []
    with contextlib.closing(world.controller(passed.append)) as owned:
        result = drive(owned.ports)
    return result, [name for name in passed if "call" in name]


def test_every_working_state_has_its_activity() -> None:
    """And the final one has none."""
    assert set(ACTIVITIES) == set(State) - {State.CLOSED}


def test_a_closed_loop_is_not_driven_again() -> None:
    """The same end, without a call and without a line in the history."""
    world = Watched()
    first = world.run()
    with world.history() as history:
        before = history.last_event("story")
    result, called = again(world)
    assert (result.exit_code, result.loop.outcome, called) == (first.exit_code, first.loop.outcome, [])
    with world.history() as history:
        assert history.last_event("story") == before
    world.close()


def test_a_loop_that_waits_for_an_answer_is_left_waiting(waiting: Watched) -> None:
    """Whoever looks at it costs nothing and changes nothing."""
    before = waiting.loop()
    result, called = again(waiting)
    assert (result.exit_code, called) == (HANDED_OFF, [])
    assert waiting.loop().handoff == before.handoff
    assert waiting.loop().hold_until == before.hold_until


def test_giving_up_releases_and_a_second_time_changes_nothing(waiting: Watched) -> None:
    """From the hand-off through Releasing; a loop that is over keeps its outcome."""
    result = waiting.abandon()
    assert (result.loop.state, result.loop.outcome) == (State.CLOSED, Outcome.ABANDONED)
    assert list(violations(waiting, result)) == []
    events = len(waiting.events("released"))
    assert waiting.abandon().loop.outcome is Outcome.ABANDONED
    assert len(waiting.events("released")) == events == 1


class Broken(FileRenderer):
    """A renderer with a bug."""

    def render(self, spec: RenderSpec) -> Request:
        """Fails as no port may."""
        raise ZeroDivisionError(spec.name)


def test_a_bug_in_an_activity_goes_through_releasing_like_everything_else() -> None:
    """The loop is closed as failed, with the state in which it happened, and the bug is not hidden."""
    world = Watched()
    world.renderer = Broken()
    result = world.run()
    assert (result.loop.state, result.loop.outcome, result.exit_code) == (State.CLOSED, Outcome.FAILED, 1)
    assert result.loop.why.startswith("unexpected ZeroDivisionError in Preflight")
    assert [type(trouble) for trouble in world.progress.troubles] == [ZeroDivisionError]
    world.close()
