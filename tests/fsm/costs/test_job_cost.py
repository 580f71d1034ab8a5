"""The times of one job: unknown stays unknown, and no length is negative."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.costs.job_cost import JobCost, bill, gaps_between, measured_starts, span, wall_seconds
from wpfsm.fsm.records import Job

JOB = Job(
    loop_id="lr", number=1, trial=1, name="lr-001", params={}, request={}, request_digest="d", source_digest="s",
    keep_alive=600, max_runtime=3600, arn="arn", status="Completed", created_at=100.0, started_at=160.0, ended_at=260.0,
)  # fmt: skip
COST = JobCost.of(JOB, 1)
moments = st.none() | st.floats(0, 2e9)
costs = st.builds(
    lambda start, end: replace(COST, started_at=start, ended_at=end), moments, moments
)  # fmt: skip


@given(moments, moments)
def test_a_span_is_unknown_or_not_negative(start: float | None, end: float | None) -> None:
    """Clocks that disagree give 0; a moment that is not known gives no length."""
    length = span(start, end)

    assert (length is None) == (start is None or end is None)
    assert length is None or length >= 0


@given(st.lists(costs, max_size=5), st.floats(0, 2e9))
def test_the_wall_time_is_unknown_or_not_negative(jobs: list[JobCost], now: float) -> None:
    """Whatever is known of the jobs; no job took no time."""
    wall = wall_seconds(jobs, now)

    assert wall is None or wall >= 0
    assert wall_seconds([], now) == 0


def test_a_running_job_counts_until_now() -> None:
    """From the first acceptance on."""
    running = replace(COST, number=2, started_at=300.0, ended_at=None)

    assert running.running
    assert wall_seconds([COST, running], 400.0) == 300
    assert gaps_between([COST, running]) == (40,)


@pytest.mark.parametrize(
    ("row", "retained", "final"),
    [
        (replace(JOB, keep_alive=0), 0.0, True),
        (replace(JOB, pool_status="Available"), None, False),
        (replace(JOB, pool_status="Reused", retained_seconds=40.0), 40.0, True),
        (replace(JOB, keep_alive=0, status="InProgress", ended_at=None), None, False),
    ],
)
def test_idle_time_is_final_once_the_pool_is_over(row: Job, retained: float | None, final: bool) -> None:
    """A job that asked for no pool idled for nothing, but only once it is over."""
    cost = JobCost.of(row, 1)

    assert (cost.retained_seconds, cost.retained_final) == (retained, final)


def test_a_measured_startup_is_taken_before_the_two_moments() -> None:
    """The moments bound it where the service gave no transitions; provisioning is what they say."""
    measured = replace(COST, startup_seconds=75.0)

    assert (COST.startup, measured.startup) == (60, 75)
    assert (measured.provisioning, replace(measured, training_started_at=None).provisioning) == (60, 75)
    assert measured_starts([replace(measured, start="cold"), replace(COST, start="warm")], "cold") == (75,)


def test_the_service_ends_an_idle_pool_after_the_keep_alive() -> None:
    """An estimate of idle time stops there."""
    assert COST.expires_at == 860
    assert JobCost.of(replace(JOB, keep_alive=0), 1).expires_at == 260


def test_every_instance_is_billed() -> None:
    """An hour of three instances."""
    assert bill(3600, 1.5, 3) == 4.5
