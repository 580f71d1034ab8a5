"""What the service does to a loop: lost hardware, no capacity, throttling, a quota."""

from __future__ import annotations

import pytest
from failing_loops import TRAINS, Project, assert_released

SWEEP = {"type": "sweep", "method": "grid", "parameters": {"lr": [0.1, 0.2]}}
REFUSED = {"kind": "resource_limit", "operation": "CreateTrainingJob", "times": 1}


@pytest.mark.parametrize(
    ("kind", "class_", "lost"),
    [("internal_error", "infra", 2), ("capacity_error", "capacity", 1)],
    ids=["hardware", "capacity"],
)
def test_a_failure_of_the_service_is_retried_on_a_cold_pool(
    project: Project, kind: str, class_: str, lost: int
) -> None:
    """The job is lost, and its pool with it; the same configuration runs again, cold, and the loop ends."""
    project.write({"train.py": TRAINS}, strategy=SWEEP)
    project.emulator.inject({"kind": kind, "job": f"*-{lost:03d}", "times": 1})
    ran = project.start()
    assert ran.code == 0, ran.said
    assert [ran.classes[lost - 1], len(ran.jobs)] == [class_, 3]
    assert ran.jobs[lost]["start"] == "cold"
    assert ran.jobs[lost]["params"] == ran.jobs[lost - 1]["params"]
    assert ran.jobs[lost - 1]["patch"]["kind"] == "retry"
    assert "verified" in [event["kind"] for event in project.events(ran.loop)], (
        "the pool is read, not assumed dead"
    )
    assert_released(project, ran)


def test_a_throttled_create_is_sent_again(project: Project) -> None:
    """Under the same name: throttling says nothing about the job, and costs none."""
    project.write({"train.py": TRAINS})
    project.emulator.inject({"kind": "throttle", "operation": "CreateTrainingJob", "times": 3})
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.classes == [None]
    assert_released(project, ran)


def test_our_own_idle_pool_is_released_when_it_holds_the_quota(project: Project) -> None:
    """Once: the pool goes, the same configuration is submitted again and starts cold."""
    project.write({"train.py": TRAINS}, strategy=SWEEP)
    project.emulator.inject({**REFUSED, "job": "*-002"})
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.classes == [None, "own_pool_holds_quota", None]
    assert [job["status"] for job in ran.jobs] == ["Completed", "Rejected", "Completed"]
    assert ran.jobs[2]["start"] == "cold"
    assert project.pool_status(ran.jobs[0]["name"]) == "Terminated"
    assert_released(project, ran)


def test_a_quota_that_is_not_ours_to_free_ends_the_loop(project: Project) -> None:
    """Exit 1, released, and nothing was tried in vain."""
    project.write({"train.py": TRAINS}, strategy=SWEEP)
    project.emulator.inject({**REFUSED, "job": "*-001"})
    ran = project.start()
    assert ran.code == 1, ran.said
    assert ran.classes == ["quota"]
    assert_released(project, ran)


def test_a_quota_that_stays_short_after_the_release_ends_the_loop(project: Project) -> None:
    """The pool is released once, not again and again."""
    project.write({"train.py": TRAINS}, strategy=SWEEP)
    project.emulator.inject({**REFUSED, "job": "*-002"}, {**REFUSED, "job": "*-003"})
    ran = project.start()
    assert ran.code == 1, ran.said
    assert ran.classes == [None, "own_pool_holds_quota", "quota"]
    assert_released(project, ran)
