"""Patience is the loop's, not a process's: it goes on where the controller before was killed."""

from __future__ import annotations

import contextlib
from typing import Any

from crash_stories import JOB, METRIC, NUMPY, POOL, grid
from crash_world import LOOP_ID, Crash, Story, World

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script

SILENT = {"pool": POOL, "job": {**JOB, "silence": "1m"}, "metric": METRIC, "strategy": grid(1),
          "on_failure": [{"when": "any", "do": "release"}]}  # fmt: skip


def _falls_silent(_: Launch) -> Script:
    return Script(seconds=1800, lines=["loading", "training"])


def kill_every(world: World, seconds: float) -> Any:
    """A hook under which no controller lives longer than this."""
    began = world.clock.now()

    def hook(_: str) -> None:
        if world.clock.now() - began > seconds:
            raise Crash

    return hook


def test_silence_is_noticed_by_controllers_that_live_shorter_than_it() -> None:
    """A job that is silent for a minute is stopped, though every controller is killed after forty seconds."""
    world = World(Story(loop_file=SILENT, script=_falls_silent, source=NUMPY))
    for _ in range(20):
        with contextlib.suppress(Crash):
            world.drive(kill_every(world, 40))
            break
    with world.history() as history:
        (job,) = history.jobs(LOOP_ID)
        events = [event for event in history.events(LOOP_ID) if event.kind == "stop_intended"]
    assert job.stopped_for == "silence"
    began = job.started_at or 0
    assert 60 <= events[0].at - began <= 60 + 2 * 40
    world.close()


def test_silence_begins_with_the_script_and_not_with_the_controller() -> None:
    """A controller that comes to a job which has just printed waits as long as one that was there all the time."""
    story = Story(loop_file=SILENT, script=lambda _: Script(seconds=50, lines=["loss=0.5"]), source=NUMPY)
    world = World(story)
    for _ in range(20):
        with contextlib.suppress(Crash):
            result = world.drive(kill_every(world, 25))
            break
    assert result.exit_code == 0
    world.close()
