"""Patience is the loop's, not a process's: it goes on where the controller before was killed."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from crash_puppets import SkewedClock
from crash_stories import JOB, METRIC, NUMPY, POOL, grid
from crash_world import LOOP_ID, Crash, Story, World, wire

from wpfsm.adapters.aws.logs import CloudWatchLogs
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm import controller
from wpfsm.fsm.ports import LogPage

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


class LateLogs:
    """Implements :class:`wpfsm.fsm.ports.Logs`: nothing is there until long after the job has ended.

    Args:
        world: The loop's.
        seconds: After the job's end.
    """

    def __init__(self, world: World, seconds: float) -> None:
        self._world, self._seconds = world, seconds
        self._logs = CloudWatchLogs(wire().clients)
        self.empty = 0

    def read(self, job_name: str, cursor: str = "") -> LogPage:
        """See the protocol."""
        job = next(job for job in self._world.emulator.jobs() if job.name == job_name)
        if job.ended is None or self._world.clock.now() < job.ended + self._seconds:
            self.empty += 1
            return LogPage((), cursor, end=True)
        return self._logs.read(job_name, cursor)


def test_a_log_that_is_late_is_not_a_log_that_is_empty() -> None:
    """Many reads find nothing, and then the log says what the reason does not: memory ran out, and the batch is halved."""
    file = {
        "pool": POOL,
        "job": {**JOB, "hyperparameters": {"batch_size": 64}},
        "metric": METRIC,
        "strategy": grid(1),
    }
    out_of_memory = ["Traceback (most recent call last):", '  File "train.py", line 3, in step', "    loss.backward()",
                     "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"]  # fmt: skip

    def script(launch: Launch) -> Script:
        small = launch.request["HyperParameters"]["batch_size"] != "64"
        return Script(seconds=60, lines=["loss=0.5"] if small else out_of_memory, exit_code=0 if small else 1)

    world = World(Story(loop_file=file, script=script, source=NUMPY))
    with contextlib.closing(world), contextlib.closing(world.controller()) as owned:
        logs = LateLogs(world, 45)
        pace = replace(owned.ports.pace, least=2, grace=60)
        result = controller.drive(replace(owned.ports, logs=logs, pace=pace))
        with world.history() as history:
            jobs = history.jobs(LOOP_ID)
    assert logs.empty > 10
    assert [job.diagnosis and job.diagnosis.class_ for job in jobs] == ["cuda_oom", None]
    assert result.exit_code == 0


def reads_of_a_long_job(skew: float) -> int:
    """How often a ten-minute job is read by a controller whose clock is so many seconds ahead of the service's."""
    story = {"pool": POOL, "job": JOB, "metric": METRIC, "strategy": grid(1)}
    world = World(
        Story(loop_file=story, script=lambda _: Script(seconds=600, lines=["loss=0.5"]), source=NUMPY)
    )
    try:
        with contextlib.closing(world.controller(clock=SkewedClock(world.clock, skew))) as owned:
            assert controller.drive(owned.ports).exit_code == 0
        return sum(call.operation == "DescribeTrainingJob" for call in world.emulator.calls())
    finally:
        world.close()


def test_a_clock_that_is_behind_the_services_does_not_make_a_job_new_for_ever() -> None:
    """Its age is at least the time for which it was followed, so that it is read no more often."""
    assert reads_of_a_long_job(-3600.0) <= reads_of_a_long_job(0.0) + 1
