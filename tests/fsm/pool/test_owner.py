"""Which job owns the pool, and how old its cluster is."""

from __future__ import annotations

from typing import Any

import pytest

from wpfsm.fsm.pool.owner import chain_started_at, pool_owner
from wpfsm.fsm.records import Job


def job(number: int, **more: Any) -> Job:
    """Job of that number, accepted and with a pool unless said otherwise."""
    given: dict[str, Any] = {"keep_alive": 600, "arn": f"arn:{number}", "created_at": 100.0 * number, **more}
    return Job(
        loop_id="lr", number=number, trial=number, name=f"lr-{number:03d}", params={}, request={},
        request_digest="d", source_digest="s", max_runtime=60, **given,
    )  # fmt: skip


def test_the_newest_job_that_may_hold_the_pool_owns_it() -> None:
    """The pool goes from job to job, and the last one has it."""
    jobs = [job(1, pool_status="Reused", reused_by="lr-002"), job(2, pool_status="Available")]

    assert pool_owner(jobs) == jobs[1]


def test_a_job_that_was_never_accepted_took_nothing_over() -> None:
    """The pool is still that of the job before."""
    jobs = [job(1, pool_status="Available"), job(2, arn="", status="Rejected")]

    assert pool_owner(jobs) == jobs[0]


@pytest.mark.parametrize("last", [{"pool_status": "Terminated"}, {"keep_alive": 0}])
def test_an_accepted_job_without_a_pool_leaves_none(last: dict[str, Any]) -> None:
    """What an older job's row says is out of date then."""
    assert pool_owner([job(1, pool_status="Available"), job(2, **last)]) is None
    assert pool_owner([]) is None


def test_a_cluster_is_as_old_as_the_first_job_of_its_chain() -> None:
    """Followed from job to job, over a chain that began anew in between."""
    jobs = [job(1), job(2, reuse_of="lr-001"), job(3), job(4, reuse_of="lr-003"), job(5, reuse_of="lr-004")]

    assert chain_started_at(jobs, jobs[4]) == 300
    assert chain_started_at(jobs, jobs[1]) == 100
    assert chain_started_at(jobs, job(6, reuse_of="somebody-elses")) is None
