"""What a reading says about the release of a pool."""

from __future__ import annotations

import pytest

from wpfsm.fsm.pool.read_back import ReleaseStep, proof, release_step


@pytest.mark.parametrize("pool_status", ["", "Available", "InUse", "Terminated"])
def test_a_job_that_has_not_ended_is_ended_first(pool_status):
    """Whatever is read of a pool: only a stop can be asked of a job that runs."""
    assert release_step(pool_status, ended=False) is ReleaseStep.END_THE_JOB


@pytest.mark.parametrize(
    ("pool_status", "step"),
    [
        ("Available", ReleaseStep.UPDATE_TO_ZERO),
        ("Terminated", ReleaseStep.DONE),
        ("Reused", ReleaseStep.DONE),
        ("InUse", ReleaseStep.WAIT),
        ("Draining", ReleaseStep.WAIT),
        ("", ReleaseStep.ASK_BY_UPDATE),
    ],
)
def test_only_terminated_and_reused_end_a_release(pool_status, step):
    """No report is no proof, and neither is a status that nobody has heard of."""
    assert release_step(pool_status, ended=True) is step


def test_the_proof_says_who_has_the_pool_now():
    """A pool that another job took bills that job; the receipt names it where the service does."""
    assert proof("Reused", "theirs-007") == "Describe says Reused by theirs-007"
    assert proof("Reused") == "Describe says Reused by a job that the service does not name"
    assert proof("Terminated") == "Describe says Terminated"
