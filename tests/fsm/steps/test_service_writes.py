"""A write to the service stands in the rows before it is made, and its answer after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from crash_world import LOOP_ID, Crash
from watched_world import Watched, loop_file

from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.context import Context
from wpfsm.fsm.failpoints import Hook
from wpfsm.fsm.records import Intent
from wpfsm.fsm.steps.service_writes import set_keep_alive


@pytest.fixture
def world() -> Iterator[Watched]:
    """A loop in a hand-off: its pool idles and is its own."""
    rules = [{"when": "any", "do": "handoff", "hold": "20m"}]
    broken = Script(seconds=50, lines=["ValueError: the shapes do not fit"], exit_code=1)
    world = Watched(loop_file(on_failure=rules), script=lambda _: broken)
    assert world.run().exit_code == 10
    yield world
    world.close()


@contextlib.contextmanager
def owning(world: Watched, hook: Hook | None = None) -> Iterator[Context]:
    """The loop in the hands of a controller that does nothing by itself."""
    with contextlib.closing(world.controller(hook)) as owned:
        yield Context(owned.ports)


def updates(world: Watched) -> list[Intent]:
    """The rows of what was asked of the pool."""
    with world.history() as history:
        return [intent for intent in history.intents(LOOP_ID) if intent.kind == "update"]


def at_the_service(world: Watched) -> object:
    """The keep-alive that Describe shows."""
    shown = world.sagemaker.describe_training_job(TrainingJobName="story-001")
    return shown["ResourceConfig"]["KeepAlivePeriodInSeconds"]


def test_what_the_service_accepted_is_what_the_rows_say(world: Watched) -> None:
    """The job, the loop and the answered intent, all of the same keep-alive."""
    with owning(world) as ctx:
        assert set_keep_alive(ctx, world.jobs()[0], 1500, "somebody asked")

    assert at_the_service(world) == world.jobs()[0].keep_alive == world.loop().keep_alive == 1500
    last = updates(world)[-1]
    assert (last.argument, last.status, last.answer) == ("1500", "done", "accepted")


def test_a_refusal_is_an_answer_and_changes_no_row(world: Watched) -> None:
    """The caller reads the pool back; what the service did not do is not written down as done."""
    before = world.jobs()[0]
    world.emulator.inject(
        {"kind": "error", "operation": "UpdateTrainingJob", "code": "ValidationException", "times": 1}
    )
    with owning(world) as ctx:
        assert not set_keep_alive(ctx, before, 1500, "somebody asked")

    assert world.jobs()[0] == before
    assert at_the_service(world) == before.keep_alive
    assert updates(world)[-1].status == "refused"
    assert "ValidationException" in updates(world)[-1].answer


def test_a_write_without_an_answer_is_taken_up_again_and_not_left_behind(world: Watched) -> None:
    """Whoever comes after a crash asks under the same number; what it is answered is about both."""
    asked = len(updates(world))

    def dies(name: str) -> None:
        if name == "after call service.set_keep_alive":
            raise Crash(name)

    with pytest.raises(Crash), owning(world, dies) as ctx:
        set_keep_alive(ctx, world.jobs()[0], 1500, "somebody asked")
    assert updates(world)[-1].status == "open"
    with owning(world) as ctx:
        assert set_keep_alive(ctx, world.jobs()[0], 1800, "somebody asked again")

    assert len(updates(world)) == asked + 1
    assert (updates(world)[-1].argument, updates(world)[-1].status) == ("1800", "done")
    assert at_the_service(world) == 1800
