"""What an activity waits for, as the loop remembers it."""

from __future__ import annotations

import contextlib
from typing import Any, Literal

import pytest
from crash_stories import JOB, METRIC, NUMPY, POOL, grid
from crash_world import LOOP_ID, Story, World

from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.context import Context, StopRequested

SILENT = {"pool": POOL, "job": {**JOB, "silence": "1m"}, "metric": METRIC, "strategy": grid(1),
          "on_failure": [{"when": "any", "do": "release"}]}  # fmt: skip


def test_what_is_waited_for_is_forgotten_when_it_has_come() -> None:
    """A transition empties the waits: the next state begins with all of its patience."""
    faults = ({"kind": "error_5xx", "operation": "DescribeTrainingJob", "times": 2},)
    story = Story(loop_file=SILENT, script=lambda _: Script(seconds=50, lines=["loss=0.5"]), source=NUMPY)
    world = World(story)
    world.emulator.inject(*faults)
    seen: list[dict[str, Any]] = []

    def hook(name: str) -> None:
        if name == "after commit waiting":
            with world.history() as history:
                seen.append(dict(history.find(LOOP_ID).waits))

    world.drive(hook)
    with world.history() as history:
        assert history.find(LOOP_ID).waits == {}
    assert any("the service to answer service.describe" in waits for waits in seen)
    world.close()


def test_patience_is_counted_from_the_first_wait_until_it_is_forgotten() -> None:
    """However often it is asked about; each thing that is waited for has a patience of its own."""
    with contextlib.closing(
        World(Story(loop_file=SILENT, script=lambda _: Script(seconds=5), source=NUMPY))
    ) as world:
        with contextlib.closing(world.controller()) as owned:
            ctx = Context(owned.ports)
            began = ctx.since("one")
            world.clock.advance(100)
            assert ctx.since("one") == began
            assert ctx.since("other") == began + 100
        with contextlib.closing(world.controller()) as heir:
            assert Context(heir.ports).since("one") == began, "the next controller goes on where it was"
            ctx = Context(heir.ports)
            ctx.forget_waits()
            assert ctx.since("one") == world.clock.now()


@pytest.mark.parametrize("reason", ["interrupted", "terminated"])
def test_a_request_to_stop_ends_the_activity_with_its_outcome(
    reason: Literal["interrupted", "terminated"],
) -> None:
    """By a signal to this process; without one nothing happens."""
    with (
        contextlib.closing(
            World(Story(loop_file=SILENT, script=lambda _: Script(seconds=5), source=NUMPY))
        ) as world,
        contextlib.closing(world.controller()) as owned,
    ):
        ctx = Context(owned.ports)
        ctx.check_stop()
        world.asked.reason = reason
        with pytest.raises(StopRequested) as asked:
            ctx.check_stop()
        assert asked.value.outcome == reason
