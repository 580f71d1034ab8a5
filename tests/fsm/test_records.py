"""What a job's row says of its end and of its pool, and how a loop's end is told to a shell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wpfsm.fsm.records import EXIT_CODES, Job, Outcome

JOB = Job(
    loop_id="lr", number=1, trial=1, name="lr-001", params={}, request={}, request_digest="d", source_digest="s",
    keep_alive=600, max_runtime=3600, arn="arn",
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("Completed", True),
        ("Failed", True),
        ("Stopped", True),
        ("Stopping", False),
        ("Rejected", False),
        ("New", False),
    ],
)
def test_only_what_the_service_does_not_change_is_terminal(status: str, over: bool) -> None:
    """A status that nobody knows yet is waited out."""
    assert replace(JOB, status=status).is_terminal == over


@pytest.mark.parametrize("pool_status", ["", "Available", "InUse", "OfTheFuture"])
def test_a_job_may_hold_a_pool_until_the_service_says_that_it_does_not(pool_status: str) -> None:
    """Silence and an unknown word are no release."""
    job = replace(JOB, pool_status=pool_status)

    assert job.may_hold_pool
    assert not replace(job, keep_alive=0).may_hold_pool, "none was asked for"
    assert not replace(job, arn="").may_hold_pool, "it was never accepted"


@pytest.mark.parametrize("pool_status", ["Reused", "Terminated"])
def test_a_pool_that_is_over_does_not_come_back(pool_status: str) -> None:
    """Another job has it, or nobody."""
    assert not replace(JOB, pool_status=pool_status).may_hold_pool


def test_every_outcome_has_its_exit_code() -> None:
    """A shell sees success only where the work was done."""
    assert set(EXIT_CODES) == set(Outcome)
    assert {outcome for outcome, code in EXIT_CODES.items() if code == 0} == {
        Outcome.GOAL_MET,
        Outcome.COMPLETED,
        Outcome.LET_GO,  # of a lane: the others do the rest
    }
