"""Each row of the status table: what the controller does, and what its user reads."""

from __future__ import annotations

import contextlib

import pytest
from crash_checks import violations
from crash_world import Crash
from watched_world import COLD, WARM, Watched, loop_file, once

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.context import Context
from wpfsm.fsm.controller import Result
from wpfsm.fsm.records import Outcome
from wpfsm.fsm.states.verifying import activity as verifying

FIRST, SECOND = "story-001", "story-002"


def starts(world: Watched) -> list[str | None]:
    return [job.start for job in world.jobs()]


def well_ended(world: Watched, result: Result) -> bool:
    """Closed, everything released, nothing unexpected."""
    return list(violations(world, result)) == []


def test_available_pool_takes_the_next_job() -> None:
    """Available: the next job is submitted, and starts warm on the pool of the one before."""
    world = Watched()
    result = world.run()
    assert result.exit_code == 0
    assert starts(world) == ["cold", "warm"]
    assert [job.startup_seconds for job in world.jobs()] == [COLD, WARM]
    assert world.jobs()[1].reuse_of == FIRST
    assert world.events("verified")[0].why == f"the pool of {FIRST} is Available"
    assert world.losses() == []
    assert well_ended(world, result)


def test_pool_reused_by_our_next_job_is_expected() -> None:
    """Reused by us: the job before shows it, its obligation is discharged, and nobody is warned."""
    world = Watched()
    result = world.run()
    first, _ = world.jobs()
    assert (first.pool_status, first.reused_by) == ("Reused", SECOND)
    assert f"{SECOND} started warm: {FIRST} was reused by {SECOND}" in [
        e.why for e in world.events("settled")
    ]
    assert world.told.of("pool_lost") == []
    assert well_ended(world, result)


def test_pool_in_use_is_waited_for() -> None:
    """InUse: nothing is submitted until the pool is Available; the user reads what is waited for."""
    world = Watched()

    def die() -> None:
        raise Crash

    with contextlib.suppress(Crash):
        world.run({"after commit submitted": die})
    world.clock.advance(COLD + 10)
    with contextlib.closing(world.controller()) as owned:
        change = verifying.run(Context(owned.ports))
    assert change.data["pool"] == "Available"
    assert f"the pool of {FIRST} is InUse" in world.progress.waits
    assert world.clock.now() - (world.jobs()[0].created_at or 0) >= COLD + 100


def test_status_of_the_future_is_waited_out() -> None:
    """A status that this version does not know is no decision: it is read again."""
    world = Watched(
        faults=({"kind": "unknown_enum", "operation": "DescribeTrainingJob", "member": "WarmPoolStatus.Status",
                 "times": 3},)
    )  # fmt: skip
    result = world.run()
    assert starts(world) == ["cold", "warm"]
    assert well_ended(world, result)


def stolen(**sections: object) -> Watched:
    """A stranger's job takes the pool half a minute after it became Available, if it is still idle then."""
    return Watched(
        loop_file(**sections), faults=({"kind": "stolen_pool", "job": FIRST, "seconds": 30, "times": 1},)
    )


def test_pool_taken_by_a_stranger_is_contested() -> None:
    """Reused by a stranger: warned with the name, their pool is left alone, and the loop goes on cold."""
    world = stolen()
    result = world.run({"before commit proceed": lambda: world.clock.advance(60)})
    thief = world.jobs()[0].reused_by
    assert thief
    assert not thief.startswith("story-")
    assert result.exit_code == 0
    assert starts(world) == ["cold", "cold"]
    (loss,) = world.losses()
    assert loss["cause"] == "contested"
    assert loss["job"] == FIRST
    assert f"contested: {thief} took over the pool of {FIRST}; it is theirs and was left alone" in loss["why"]
    assert loss["cold_start_seconds"] == COLD
    assert "a cold start takes about 2 min and no money, for starting up is not billed" in loss["why"]
    assert f"lost  {loss['why']}" in world.inspect()
    assert len(world.told.of("pool_lost")) == 1
    updates = [call.job for call in world.emulator.calls() if call.operation == "UpdateTrainingJob"]
    assert thief not in updates
    assert FIRST not in updates
    assert well_ended(world, result)


def test_contested_pool_can_end_the_loop() -> None:
    """With ``on_contested: stop`` no further job is submitted, and the user reads who took the pool."""
    world = stolen(on_contested="stop")
    result = world.run({"before commit proceed": lambda: world.clock.advance(60)})
    assert result.loop.outcome is Outcome.CONTESTED
    assert result.exit_code == 1
    assert len(world.jobs()) == 1
    assert "on_contested: stop" in world.inspect()
    assert world.losses()[0]["cause"] == "contested"
    assert well_ended(world, result)


def test_pool_taken_in_the_last_moment_is_contested_too() -> None:
    """Taken between the check and the create: the job's cold start is explained by the stranger's job."""
    world = stolen()
    result = world.run({"before call service.create #2": lambda: world.clock.advance(60)})
    assert starts(world) == ["cold", "cold"]
    (loss,) = world.losses()
    assert loss["why"].startswith(f"{SECOND} started cold: contested: ")
    assert well_ended(world, result)


def test_terminated_pool_is_named_and_priced() -> None:
    """Terminated: the cause and what the cold start costs, in dollars where starting up is billed."""
    world = Watched(
        loop_file(forecast={"bill_provisioning": True}),
        faults=({"kind": "patch_update", "job": FIRST, "seconds": 30, "times": 1},),
    )
    result = world.run({"before commit proceed": lambda: world.clock.advance(60)})
    (loss,) = world.losses()
    assert loss["cause"] == "patch_update"
    assert loss["cold_start_usd"] == pytest.approx(COLD / 3600 * 3.6)
    assert "a cold start takes about 2 min and $0.12" in loss["why"]
    assert starts(world) == ["cold", "cold"]
    assert well_ended(world, result)


def test_late_status_is_waited_for() -> None:
    """Absent, then there: within the grace period a missing status decides nothing."""
    world = Watched(faults=({"kind": "absent_pool_status", "job": FIRST, "seconds": 28},))
    result = world.run()
    assert f"the pool of {FIRST} to be reported" in world.progress.waits
    assert starts(world) == ["cold", "warm"]
    assert world.losses() == []
    assert well_ended(world, result)


def test_status_that_stays_away_counts_as_lost() -> None:
    """Absent for longer than the grace period: the loop goes on, says so, and still owes the release."""
    world = Watched(faults=({"kind": "absent_pool_status", "job": FIRST, "seconds": 10**6},))
    owed: list[str] = []

    def look() -> None:
        with world.history() as history:
            owed.extend(o.job_name for o in history.obligations("story") if o.status == "owed")

    result = world.run({"after commit verified": look})
    (verified,) = world.events("verified")
    assert verified.data["pool"] == "absent"
    assert verified.why.startswith(f"the service reports no pool for {FIRST} within 20 s: ")
    assert "most likely the quota 'ml.g5.xlarge for training warm pool usage' had no room" in verified.why
    assert owed == [FIRST]
    assert result.exit_code == 0
    assert well_ended(world, result)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (Script(seconds=100, lines=["ValueError: no"], exit_code=1), "Failed"),
        (Script(seconds=10_000, lines=[]), "Stopped"),
    ],
    ids=["failed", "stopped for silence"],
)
def test_pool_is_verified_after_a_job_that_did_not_complete(script: Script, status: str) -> None:
    """After a failed or stopped job the pool is there, verified like any other, and the next start is warm."""

    def first_goes_wrong(launch: Launch) -> Script:
        return script if launch.name == FIRST else Script(seconds=100, lines=["loss=0.5"])

    world = Watched(loop_file(job={"silence": "5m"}), script=first_goes_wrong)
    result = world.run()
    assert world.jobs()[0].status == status
    assert [event.data["pool"] for event in world.events("verified")] == ["Available"]
    assert starts(world) == ["cold", "warm"]
    assert well_ended(world, result)


def test_hook_counts() -> None:
    """The helper that lets somebody act at a boundary acts once, at the time that was named."""
    seen: list[int] = []
    hook = once({"after x #2": lambda: seen.append(2)})
    for _ in range(3):
        hook("after x")
    assert seen == [2]
