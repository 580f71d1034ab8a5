"""The pool of a job without a loop is released, and read back."""

from __future__ import annotations

import contextlib

from crash_stories import patient
from crash_world import PACE, Crash, World, wire

from wpfsm.adapters.aws.account import AwsServices
from wpfsm.adapters.emulator.engine.records import PoolStatus
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.gateway import Gateway
from wpfsm.fsm.states.releasing.orphan import release_orphan


def account(world: World) -> Gateway:
    """The account of a world, for whoever has no loop."""
    return Gateway(AwsServices(wire().clients), world.clock, PACE)


def _die_while_it_trains(name: str) -> None:
    if name == "after call logs.read":
        raise Crash(name)


def test_reaping_waits_for_a_pool_that_is_reported_late() -> None:
    """A job that takes long to stop, and whose pool is not mentioned at first: its absence is given time from then on."""
    story = patient(lambda _: Script(seconds=3600, lines=["loss=0.5"], ignores_term=True))
    world = World(story)
    world.emulator.inject(
        {"kind": "absent_pool_status", "job": "*", "seconds": PACE.grace - 5},
        {"kind": "error", "operation": "UpdateTrainingJob", "code": "ValidationException", "times": 1},
    )
    with contextlib.suppress(Crash):
        world.finish(_die_while_it_trains)
    asked_at = world.clock.now()
    reaped = release_orphan(account(world), "story-001")
    job = world.emulator.jobs()[0]
    assert job.ended is not None
    assert job.ended - asked_at > PACE.grace, "it took longer to stop than a status may be absent"
    assert (reaped.outcome, job.pool_status) == ("released", PoolStatus.TERMINATED)
    world.close()
