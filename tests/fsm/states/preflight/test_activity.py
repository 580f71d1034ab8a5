"""Preflight admits a loop with its lock and its pool key, or refuses it before anything is created."""

from __future__ import annotations

from crash_checks import violations
from watched_world import FileRenderer, Watched, loop_file

from wpfsm.fsm.controller import Result
from wpfsm.fsm.records import Outcome
from wpfsm.state.database import siblings
from wpfsm.state.pool_leases import LocalPoolLeases


def admitted(world: Watched) -> Result:
    result = world.run()
    assert result.exit_code == 0
    assert list(violations(world, result)) == []
    return result


def test_second_loop_on_the_same_pool_key_is_refused() -> None:
    """One pool, one loop: while another live loop holds the key, exit 5 and nothing is created."""
    before = Watched()
    key = admitted(before).loop.pool_key
    world = Watched()
    other = LocalPoolLeases(siblings(world.database, "locks-of-here"))
    other.take(key, "other-1a2b3c")
    try:
        result = world.run()
    finally:
        other.release()
    assert result.exit_code == 5
    assert result.loop.outcome is Outcome.HELD
    assert "held by a live controller: loop other-1a2b3c" in result.loop.why
    assert world.emulator.created() == []


def test_a_loop_that_keeps_no_pool_is_refused_one_that_is_held() -> None:
    """`single` asks for no pool and would match one: exit 5, and no job takes another loop's pool."""
    single = {"strategy": {"type": "single"}}
    key = admitted(Watched(loop_file(**single))).loop.pool_key
    world = Watched(loop_file(**single))
    other = LocalPoolLeases(siblings(world.database, "locks-of-here"))
    other.take(key, "other-1a2b3c")
    try:
        result = world.run()
    finally:
        other.release()
    assert result.exit_code == 5
    assert "held by a live controller: loop other-1a2b3c" in result.loop.why
    assert world.emulator.created() == []


def test_defaults_that_the_sdk_injects_are_part_of_the_lock() -> None:
    """What the rendered request holds beyond the loop file is said, and locked."""
    world = Watched()
    world.renderer = FileRenderer({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}})
    result = admitted(world)
    assert result.loop.lock is not None
    assert result.loop.lock.security_groups == ("sg-1",)
    why = world.events("admitted")[0].why
    assert (
        "the request sets VpcConfig.SecurityGroupIds to ['sg-1'], which pool.vpc.security_groups leaves open"
        in why
    )
