"""Whether a job started warm, and on whose pool."""

from __future__ import annotations

from crash_checks import violations
from watched_world import WARM, Watched, loop_file

FIRST, SECOND = "story-001", "story-002"


def starts(world: Watched) -> list[str | None]:
    return [job.start for job in world.jobs()]


def test_a_first_job_on_a_pool_that_somebody_left_is_warm() -> None:
    """What tells is who took over whose pool: the loop had none, and its first job started in ten seconds all the same."""
    world = Watched()
    world.stranger("theirs", wait=1000, resources={"VolumeSizeInGB": 30})
    result = world.run()
    assert starts(world) == ["warm", "warm"]
    (first, _) = world.events("settled")
    assert first.why == f"{FIRST} started warm: theirs, a job of somebody else's, was reused by {FIRST}"
    assert list(violations(world, result)) == ["theirs is not in the database"]


def test_start_decides_where_the_service_names_no_reuse() -> None:
    """Without ReusedByJob the measured start decides: far below the cold ones is warm."""
    world = Watched(
        loop_file(3),
        faults=(
            {
                "kind": "drop_member",
                "operation": "DescribeTrainingJob",
                "member": "WarmPoolStatus.ReusedByJob",
            },
        ),
    )
    world.run()
    assert starts(world) == ["cold", "warm", "warm"]
    assert f"it started in {WARM} s" in world.events("settled")[1].why


def test_slow_start_without_a_name_is_cold() -> None:
    """Reused, by nobody in particular, and a start as long as a cold one: that was a stranger's doing."""
    world = Watched(
        faults=(
            {"kind": "stolen_pool", "job": FIRST, "seconds": 30, "times": 1},
            {
                "kind": "drop_member",
                "operation": "DescribeTrainingJob",
                "member": "WarmPoolStatus.ReusedByJob",
            },
        )
    )
    world.run({"before call service.create #2": lambda: world.clock.advance(60)})
    assert starts(world) == ["cold", "cold"]
