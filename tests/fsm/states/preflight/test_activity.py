"""Preflight admits a loop with its lock and its pool key, or refuses it before anything is created."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from crash_checks import violations
from watched_world import TYPE, FileRenderer, Watched, loop_file

from wpfsm.adapters.emulator.engine.settings import Settings, Switches
from wpfsm.fsm.controller import Result
from wpfsm.fsm.records import Outcome
from wpfsm.state.paths import siblings
from wpfsm.state.pool_leases import LocalPoolLeases


def stranger(name: str) -> dict[str, object]:
    """A request of somebody else's."""
    return {
        "TrainingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/Train",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


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
    assert "wpfsm" in world.document()["loop"]["fix"], "why says what happened, fix what to do"
    assert world.emulator.created() == []


def test_an_account_with_five_thousand_jobs_passes_within_its_rate() -> None:
    """Two listings a second for all its users together: each page is answered once, and nothing is asked too early.

    Others use the rate, too: that costs a page a second try, and never those before it.
    """
    crowd = Settings(cold_start=8, warm_start=2, switches=Switches(enforce_rates=True))
    with contextlib.closing(Watched(loop_file(jobs=1), settings=crowd)) as world:
        world.sagemaker.create_training_job(**stranger("pattern"))
        world.emulator.advance(1000)
        (pattern,) = world.emulator.jobs()
        with world.emulator.engine.transaction():
            for number in range(5000):
                at = pattern.created - number
                job = replace(pattern, name=f"old-{number:04}", created=at, modified=at)
                world.emulator.engine.store.insert_job(job)
                world.emulator.engine.store.save_job(job)
        busy = {"kind": "throttle", "operation": "ListTrainingJobs", "probability": 0.3, "times": 20}
        world.emulator.inject(busy)
        began = world.clock.now()
        result = world.run()
        lists = [call for call in world.emulator.calls() if call.operation == "ListTrainingJobs"]
        answered = [call for call in lists if call.outcome == "ok"]
        admission = world.events("admitted")[0].at - began
    assert result.exit_code == 0
    assert len(lists) - len(answered) <= 20, "nothing was throttled but what others were to blame for"
    assert len(answered) < 2 * 52, "each page once, before the loop and at its end"
    assert admission < 240


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


def test_what_the_checks_refuse_is_answered_before_the_sdk_is_loaded() -> None:
    """It costs seconds and 200 MB, and nothing is rendered then; a loop that passes has it loaded meanwhile."""
    refused = Watched(settings=Settings(quotas={(TYPE, "warm_pool"): 0}))
    assert refused.run().loop.outcome is Outcome.REFUSED
    assert not refused.renderer.prepared
    passed = Watched()
    admitted(passed)
    assert passed.renderer.prepared
