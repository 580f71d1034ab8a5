"""Each cause of a pool's death is made to happen at the service; the user reads the likely cause and the price."""

from __future__ import annotations

import time
from typing import Any

import pytest
from crash_checks import violations
from crash_world import wire
from watched_world import COLD, TYPE, WARM, Watched, loop_file

from wpfsm.adapters.emulator.engine.settings import Settings, Switches
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.pool.keep_alive import CHAIN_LIFE
from wpfsm.fsm.records import Job

FIRST, SECOND = "story-001", "story-002"
PRICE = "; a cold start takes about 2 min and no money, for starting up is not billed"
DAY = 86400.0


def the_loss(world: Watched, *, starts: tuple[str, ...] = ("cold", "cold")) -> dict[str, Any]:
    """The one loss of a loop whose second job started cold; it is in the history and on the page."""
    assert tuple(job.start for job in world.jobs()) == starts
    (loss,) = world.losses()
    assert f"lost  {loss['why']}" in world.inspect()
    assert loss["why"].endswith(PRICE) or PRICE in loss["why"]
    assert loss["cold_start_seconds"] == COLD
    assert loss["cold_start_usd"] == 0
    assert [each for each in violations(world, world.run()) if "theirs" not in each] == []
    return loss


def switched(**switches: Any) -> Settings:
    return Settings(cold_start=COLD, warm_start=WARM, switches=Switches(**switches))


def clock(at: float | None) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(at))


def first(world: Watched) -> Job:
    return world.jobs()[0]


def test_infrastructure_failure_keeps_no_cluster() -> None:
    """A job that failed with InternalServerError: the user reads that the service keeps no cluster after it."""
    world = Watched(faults=({"kind": "internal_error", "job": FIRST, "seconds": 50},))
    world.run()
    loss = the_loss(world)
    assert loss["cause"] == "infrastructure"
    assert f"{FIRST} failed with InternalServerError, after which the service keeps no cluster" in loss["why"]


def test_infrastructure_failure_ends_a_pool_that_was_warm() -> None:
    """The same on a reused pool, which the service reports as Terminated."""
    world = Watched(loop_file(3), faults=({"kind": "internal_error", "job": SECOND, "seconds": 50},))
    world.run()
    loss = the_loss(world, starts=("cold", "warm", "cold"))
    assert (loss["cause"], loss["job"]) == ("infrastructure", SECOND)
    assert world.jobs()[1].pool_status == "Terminated"


def test_release_outside_shows_in_describe() -> None:
    """Somebody releases the pool: Describe shows a keep-alive of 0, and the user reads who could have."""
    world = Watched()

    def release() -> None:
        world.release_outside(FIRST)
        world.clock.advance(30)

    world.run({"before commit proceed": release})
    loss = the_loss(world)
    assert loss["cause"] == "released_outside"
    assert f"the pool of {FIRST} was released outside this loop" in loss["why"]
    assert "this loop asked for 10m" in loss["why"]


def test_release_outside_that_is_under_way_is_no_mismatch() -> None:
    """Released just before the next job, the pool still shows Available: no field is blamed for the cold start."""
    world = Watched(settings=switched(release_polls=1000, release_seconds=150.0))
    world.run({"before call service.create #2": lambda: world.release_outside(FIRST)})
    loss = the_loss(world)
    assert loss["cause"] == "released_outside"
    assert f"the pool of {FIRST} was released outside this loop" in loss["why"]
    assert "did not match" not in loss["why"]


def test_release_that_describe_does_not_show_looks_like_a_patch() -> None:
    """Where Describe keeps showing the first keep-alive, the two causes are both named."""
    world = Watched(settings=switched(describe_shows_updated_keep_alive=False))

    def release() -> None:
        world.release_outside(FIRST)
        world.clock.advance(30)

    world.run({"before commit proceed": release})
    loss = the_loss(world)
    assert loss["cause"] == "patch_update"
    assert "a release outside this loop would look the same" in loss["why"]


def test_pool_that_the_loop_released_itself_is_called_so() -> None:
    """Where our own idle pool filled the quota and was released for it, the cold start is put down to that."""
    fault = {"kind": "resource_limit", "operation": "CreateTrainingJob", "job": SECOND, "times": 1}
    world = Watched(
        loop_file(on_failure=[{"when": "quota", "do": "release_pool", "times": 1}]), faults=(fault,)
    )
    result = world.run()
    assert result.exit_code == 0
    (loss,) = world.losses()
    assert loss["cause"] == "released"
    assert f"the pool of {FIRST} was released by this loop{PRICE}" in loss["why"]
    assert list(violations(world, result)) == []


def test_keep_alive_that_ran_out_is_given_with_its_times() -> None:
    """The pool idled too long: the user reads the keep-alive, when it ran out and when the job ended."""
    world = Watched()
    world.run({"before commit proceed": lambda: world.clock.advance(700)})
    loss = the_loss(world)
    ended = first(world).ended_at or 0
    assert loss["cause"] == "expired"
    assert (
        f"the keep-alive of 10m ran out at {clock(ended + 600)} ({FIRST} ended at {clock(ended)})"
        in loss["why"]
    )


def test_keep_alive_that_somebody_shortened_is_told_from_ours() -> None:
    """Somebody else sets a shorter keep-alive: the user reads both figures."""
    world = Watched()

    def shorten() -> None:
        world.keep_alive_outside(FIRST, 60)
        world.clock.advance(120)

    world.run({"before commit proceed": shorten})
    loss = the_loss(world)
    assert loss["cause"] == "expired"
    assert "the keep-alive of 1m (changed outside this loop, which asked for 10m) ran out at " in loss["why"]


def test_patch_update_is_what_is_left() -> None:
    """A pool that ends early with its keep-alive unchanged: most likely a patch update, after so many seconds."""
    world = Watched(faults=({"kind": "patch_update", "job": FIRST, "seconds": 100, "times": 1},))
    world.run({"before commit proceed": lambda: world.clock.advance(200)})
    loss = the_loss(world)
    assert loss["cause"] == "patch_update"
    assert (
        f"the pool of {FIRST} ended after 100 s of 10 min: most likely a patch update of the service"
        in loss["why"]
    )


def test_pool_that_is_over_when_first_seen_is_explained_too() -> None:
    """A pool that ends before anybody has looked at it is not passed over in silence."""
    world = Watched(faults=({"kind": "patch_update", "job": FIRST, "seconds": 1, "times": 1},))
    world.run({"after commit sent": lambda: world.clock.advance(1000)})
    assert the_loss(world)["cause"] == "patch_update"


def alter_volume(params: dict[str, Any]) -> None:
    """What a botocore plugin of an organisation may do."""
    if params["TrainingJobName"] == SECOND:
        params["ResourceConfig"] = {**params["ResourceConfig"], "VolumeSizeInGB": 50}


def test_field_that_did_not_match_is_named() -> None:
    """A request that is changed on its way starts cold beside the pool: the field, both values, and the release."""
    world = Watched()
    with world.altering(alter_volume):
        world.run()
    loss = the_loss(world)
    assert (loss["cause"], loss["job"]) == ("unmatched", SECOND)
    assert f"{SECOND} did not match the pool of {FIRST}" in loss["why"]
    assert "ResourceConfig.VolumeSizeInGB is 50, and 30 since job 1" in loss["why"]
    assert "something between it and the service" in loss["why"]
    assert world.told.of("pool_lost") == [world.told.of("pool_lost")[0]]
    assert first(world).pool_status in ("Available", "Terminated")
    ended = [pool for pool in world.emulator.pools() if pool.history[-1].event == "released"]
    assert len(ended) == 2


def test_mismatch_without_a_field_says_what_describe_cannot_show() -> None:
    """When the service matches on more than it shows, no field is blamed."""
    world = Watched()

    def chain(params: dict[str, Any]) -> None:
        if params["TrainingJobName"] == SECOND:
            params["SessionChainingConfig"] = {"EnableSessionTagChaining": True}

    with world.altering(chain):
        world.run()
    loss = the_loss(world)
    assert loss["cause"] == "unmatched"
    assert (
        "no field that Describe shows differs from the lock; session tags, which it does not show, may"
        in loss["why"]
    )


def long_first(launch: Launch) -> Script:
    seconds = 20 * DAY if launch.name == FIRST else 10 * DAY if launch.name == SECOND else 100
    return Script(seconds=seconds, lines=["loss=0.5"])


def test_chain_ends_after_28_days() -> None:
    """A cluster that was reused for 28 days is not kept: the user reads that limit, and not another cause."""
    world = Watched(loop_file(3, job={"max_runtime": "25d"}), script=long_first)
    world.hurry()
    world.run()
    loss = the_loss(world, starts=("cold", "warm", "cold"))
    assert loss["cause"] == "chain_limit"
    assert "the cluster reached the 28 days for which a chain of jobs may use it" in loss["why"]


def test_end_of_the_chain_is_announced() -> None:
    """With too little left of the 28 days for one more job, the user is warned before it is submitted."""
    nearly = CHAIN_LIFE - 1800

    def script(launch: Launch) -> Script:
        return Script(seconds=nearly if launch.name == FIRST else 100, lines=["loss=0.5"])

    world = Watched(loop_file(job={"max_runtime": "28d"}), script=script)
    world.hurry()
    world.run()
    (verified,) = world.events("verified")
    assert "warning: its cluster has " in verified.why
    assert "left of the 28 days" in verified.why
    assert 0 < float(str(verified.data["chain_left_seconds"])) < 1800


def test_hand_off_of_a_month_is_not_blamed_on_the_chain() -> None:
    """A pool that ran out long ago did not reach the 28 days, however late anybody looks."""
    world = Watched()
    world.run({"before commit proceed": lambda: world.clock.advance(40 * DAY)})
    assert the_loss(world)["cause"] == "expired"


@pytest.mark.parametrize("status", ["absent", "Terminated"])
def test_quota_that_is_taken_meanwhile_keeps_nothing(status: str) -> None:
    """The warm pool quota had room at preflight and has none at the job's end: the quota is named."""
    settings = Settings(
        cold_start=COLD, warm_start=WARM, quotas={(TYPE, "warm_pool"): 1},
        switches=Switches(quota_short_status=status),
    )  # fmt: skip
    world = Watched(settings=settings)
    world.run({"after commit submitted": lambda: world.stranger("theirs")})
    loss = the_loss(world)
    assert loss["cause"] == "quota"
    assert f"'{TYPE} for training warm pool usage' had no room" in loss["why"]
    assert "wpfsm pools shows who holds what" in loss["why"]


def test_job_that_never_had_a_cluster_leaves_none() -> None:
    """No capacity, so no instances and no pool."""
    world = Watched(faults=({"kind": "capacity_error", "job": FIRST},))
    world.run()
    (loss,) = world.losses()
    assert loss["cause"] == "never_launched"
    assert f"{FIRST} ended before a cluster was launched" in loss["why"]
    assert loss["cold_start_seconds"] is None


def test_wire_is_shared() -> None:
    """The strangers of these tests use the same service as the loop."""
    world = Watched()
    assert wire().emulator is world.emulator
    assert world.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
