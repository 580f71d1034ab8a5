"""Limits are admission control: the loop ends before a job that could pass one, with the arithmetic, released."""

from __future__ import annotations

import pytest
from crash_checks import violations
from watched_world import Watched, loop_file

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.controller import Result
from wpfsm.fsm.records import Outcome


def ended_by_a_limit(world: Watched, result: Result, jobs: int) -> str:
    """Exit 20, released, after so many jobs; returns what the user reads."""
    assert result.exit_code == 20
    assert result.loop.outcome is Outcome.LIMIT
    assert len(world.jobs()) == jobs
    assert list(violations(world, result)) == []
    assert result.loop.why.splitlines()[0] in world.inspect()
    return result.loop.why


def test_max_jobs_ends_the_loop() -> None:
    """As many jobs as the limit admits, and not one more."""
    world = Watched(loop_file(5, limits={"max_jobs": 2}))
    why = ended_by_a_limit(world, world.run(), 2)
    assert why == "limits.max_jobs is reached: 2 jobs of 2. Raise it to go on."


def test_max_cost_refuses_the_job_that_could_pass_it() -> None:
    """What was spent plus the worst case of one more job: 30 min and 10 min at $3.60/h are $2.40."""
    world = Watched(loop_file(5, limits={"max_cost": 2.60}))
    result = world.run()
    why = ended_by_a_limit(world, result, 2)
    # Two jobs of 100 s are $0.20, and the pool has idled between them: a third worst case would pass $2.60.
    assert "one more job could pass limits.max_cost: $0.2" in why
    assert (
        "+ $2.40 at worst (30 min of job.max_runtime + 10 min of keep-alive = 40 min x $3.60/h) > $2.60"
        in why
    )
    cost = world.document()["ledger"]["cost_usd"]
    assert cost is not None
    assert cost <= 2.60


def test_max_cost_that_no_job_fits_into_creates_none() -> None:
    """A limit below the worst case of one job is found before anything is created, in Preflight."""
    world = Watched(loop_file(limits={"max_cost": 1.0}))
    why = ended_by_a_limit(world, world.run(), 0)
    assert "$0.00 spent + $2.40 at worst" in why
    assert world.emulator.created() == []


def test_max_cost_without_a_price_is_refused() -> None:
    """An unknown price is never taken for 0: nothing can be shown to stay within the limit."""
    world = Watched(
        loop_file(
            pool={"price_per_hour": None, "instance_type": "ml.p4d.24xlarge"}, limits={"max_cost": 1000.0}
        )
    )
    why = ended_by_a_limit(world, world.run(), 0)
    assert "the price of an instance is unknown" in why
    assert "Set pool.price_per_hour" in why


def test_max_wall_refuses_a_job_that_could_not_end_in_time() -> None:
    """Time used plus the job's longest runtime may not pass the limit."""
    world = Watched(loop_file(5, limits={"max_wall": "33m"}))
    why = ended_by_a_limit(world, world.run(), 1)
    assert "one more job could pass limits.max_wall: " in why
    assert "+ 30 min of job.max_runtime > 33 min" in why


def test_max_wall_stops_a_job_that_runs_past_it() -> None:
    """A job that was admitted and starts late is stopped at the limit."""
    world = Watched(
        loop_file(1, limits={"max_wall": "31m"}),
        script=lambda _: Script(seconds=3000, lines=["loss=0.5"] * 60),
        faults=({"kind": "slow_start", "seconds": 600, "times": 1},),
    )
    result = world.run()
    ended_by_a_limit(world, result, 1)
    assert world.jobs()[0].stopped_for == "limit"
    assert (world.jobs()[0].ended_at or 0) - result.loop.created_at < 33 * 60


@pytest.mark.parametrize("retries", [False, True], ids=["next trial", "retry"])
def test_max_failures_ends_the_loop(retries: bool) -> None:
    """Failed jobs count, whether another trial or another try would follow."""
    rules = [{"when": "any", "do": "retry", "times": 5}] if retries else [{"when": "any", "do": "skip"}]

    def fails(launch: Launch) -> Script:
        number = int(launch.name[-3:])
        return Script(seconds=50, lines=[f"ValueError: {'abcdef'[number]}"], exit_code=number)

    world = Watched(loop_file(5, limits={"max_failures": 2}, on_failure=rules), script=fails)
    why = ended_by_a_limit(world, world.run(), 2)
    assert why == "limits.max_failures is reached: 2 failed jobs of 2. Raise it to go on."


def breaks(launch: Launch) -> Script:
    """A failure that no patch mends."""
    return Script(seconds=50, lines=["ValueError: the shapes do not fit"], exit_code=1)


@pytest.mark.parametrize("limit", ["max_jobs", "max_failures"])
def test_no_hand_off_that_a_limit_would_not_let_go_on(limit: str) -> None:
    """With the limit reached nobody could go on from a hand-off: the loop ends, and the failure is named."""
    rules = [{"when": "any", "do": "handoff"}]
    world = Watched(loop_file(5, limits={limit: 1}, on_failure=rules), script=breaks)
    why = ended_by_a_limit(world, world.run(), 1)
    assert why.startswith(f"limits.{limit} is reached: 1 ")
    assert "-001 failed: script_error" in why
