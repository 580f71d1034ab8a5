"""What a loop will take, warm against cold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.fsm.costs.forecast import Assumptions, assumptions_from, forecast, worst_case_leak
from wpfsm.fsm.costs.job_cost import JobCost
from wpfsm.fsm.costs.ledger import Ledger
from wpfsm.fsm.records import Price

law = settings(deadline=None)
BRIEF = Assumptions(cold_start=300, warm_start=0, train=120, gap=90, bill_provisioning=True)
"""Seven jobs, five minutes of billed provisioning, two of training, 90 s between jobs, $2.80 an hour."""


def test_seven_jobs_with_billed_provisioning() -> None:
    """Seven jobs take 28 min and $1.31 on one pool against 58 min and $2.29 cold: 2.07 times faster, 43 % less."""
    seven = forecast(7, BRIEF, 2.80, keep_alive=600)

    assert seven.warm.wall_seconds / 60 == 28
    assert seven.cold.wall_seconds / 60 == 58
    assert round(seven.warm.cost_usd or 0, 2) == 1.31
    assert round(seven.cold.cost_usd or 0, 2) == 2.29
    assert round(seven.speedup or 0, 2) == 2.07
    assert round(seven.cost_saving or 0, 2) == 0.43
    assert seven.notes == ()


def test_seven_jobs_under_the_documented_rule() -> None:
    """With provisioning not billed the pool saves the same half hour but costs more, and the forecast says so."""
    seven = forecast(7, Assumptions(gap=90), 2.80, keep_alive=600)

    assert (seven.warm.wall_seconds, seven.cold.wall_seconds) == (1680, 3480)
    assert round(seven.warm.cost_usd or 0, 2) == 1.07
    assert round(seven.cold.cost_usd or 0, 2) == 0.65
    assert (seven.cost_saving or 0) < 0
    assert len(seven.notes) == 1
    assert "saves 30 min and costs $0.42 more" in seven.notes[0]
    assert "provisioning is not billed" in seven.notes[0]


def test_json_is_the_interface() -> None:
    """The JSON has the members that ``plan -o json`` promises, and no other."""
    printed = forecast(7, BRIEF, 2.80, keep_alive=600).to_json()

    assert printed == {
        "warm": {"wall_seconds": 1680.0, "cost_usd": pytest.approx(1.3067, abs=1e-4)},
        "cold": {"wall_seconds": 3480.0, "cost_usd": pytest.approx(2.2867, abs=1e-4)},
        "speedup": pytest.approx(2.0714, abs=1e-4),
        "cost_saving": pytest.approx(0.4286, abs=1e-4),
    }


def test_pool_that_dies_in_the_gap() -> None:
    """A gap beyond the keep-alive means cold starts, and idle time billed for nothing: the forecast says so."""
    dead = forecast(3, Assumptions(gap=700, bill_provisioning=True), 3.60, keep_alive=600)

    assert not dead.pool_survives
    assert dead.warm.wall_seconds == pytest.approx(dead.cold.wall_seconds)
    assert dead.warm.cost_usd == pytest.approx((dead.cold.cost_usd or 0) + 2 * 600 / 1000)
    assert len(dead.notes) == 1
    assert "does not survive the gap" in dead.notes[0]
    assert "11 min 40 s between jobs against a keep-alive of 10 min" in dead.notes[0]


def test_gap_as_long_as_the_keep_alive_is_bridged() -> None:
    """The keep-alive bridges a gap of its own length."""
    assert forecast(2, Assumptions(gap=600), None, keep_alive=600).pool_survives


def test_unknown_price_gives_no_cost() -> None:
    """Without a price the times are told and the cost is unknown, with the fix."""
    unpriced = forecast(7, BRIEF, None, keep_alive=600)

    assert (unpriced.warm.cost_usd, unpriced.cold.cost_usd, unpriced.cost_saving) == (None, None, None)
    assert unpriced.warm.wall_seconds == 1680
    assert "pool.price_per_hour" in unpriced.notes[0]


def test_no_jobs_is_no_forecast() -> None:
    """A loop of no jobs is an error of the caller."""
    with pytest.raises(ValueError, match="at least one job"):
        forecast(0, BRIEF, 2.80, keep_alive=600)


seconds = st.floats(0, 5_000)
assumptions = st.builds(
    Assumptions,
    cold_start=seconds,
    warm_start=seconds,
    train=st.floats(1, 5_000),
    gap=seconds,
    bill_provisioning=st.booleans(),
)
jobs = st.integers(1, 50)
rates = st.floats(0.01, 100)
keep_alives = st.floats(0, 3_600)


@law
@given(a=assumptions, rate=rates, keep_alive=keep_alives)
def test_single_job_gains_nothing(a: Assumptions, rate: float, keep_alive: float) -> None:
    """Law: one job has nothing to reuse, so both ways are the same."""
    single = forecast(1, a, rate, keep_alive=keep_alive)

    assert single.warm == single.cold
    assert single.speedup == 1
    assert single.notes == ()


@law
@given(n=jobs, a=assumptions, rate=rates, count=st.integers(1, 16), keep_alive=keep_alives)
def test_every_instance_costs_the_same(
    n: int, a: Assumptions, rate: float, count: int, keep_alive: float
) -> None:
    """Law: cost is proportional to the instance count, time does not depend on it."""
    one, many = (
        forecast(n, a, rate, 1, keep_alive=keep_alive),
        forecast(n, a, rate, count, keep_alive=keep_alive),
    )

    assert many.warm.wall_seconds == one.warm.wall_seconds
    assert many.warm.cost_usd == pytest.approx((one.warm.cost_usd or 0) * count)
    assert many.cold.cost_usd == pytest.approx((one.cold.cost_usd or 0) * count)


@law
@given(n=jobs, a=assumptions, rate=rates, keep_alive=keep_alives)
def test_pool_is_never_slower_unless_its_starts_are(
    n: int, a: Assumptions, rate: float, keep_alive: float
) -> None:
    """Law: with warm starts no slower than cold ones, the pool never takes longer; a dead pool only costs."""
    result = forecast(n, a, rate, keep_alive=keep_alive)

    if a.warm_start <= a.cold_start or not result.pool_survives:
        assert result.warm.wall_seconds <= result.cold.wall_seconds + 1e-6
    if not result.pool_survives:
        assert (result.warm.cost_usd or 0) >= (result.cold.cost_usd or 0) - 1e-9


@law
@given(
    n=st.integers(1, 8),
    a=assumptions.filter(lambda a: a.gap <= 600),
    count=st.integers(1, 4),
)
def test_forecast_agrees_with_the_ledger(n: int, a: Assumptions, count: int) -> None:
    """Law: a loop that runs exactly as assumed costs, in the ledger, what was forecast, warm and cold."""
    price = Price(2.80, "loop file", "2026-09-01", "us-east-1", "ml.g6e.2xlarge")

    ledger = Ledger.of(loop_as_assumed(n, a, count), price, now=0.0, bill_provisioning=a.bill_provisioning)

    predicted = forecast(n, a, price.usd_per_hour, count, keep_alive=600)
    assert ledger.wall_seconds == pytest.approx(predicted.warm.wall_seconds)
    assert ledger.cost_usd == pytest.approx(predicted.warm.cost_usd)
    assert ledger.cold.wall_seconds == pytest.approx(predicted.cold.wall_seconds)
    assert ledger.cold.cost_usd == pytest.approx(predicted.cold.cost_usd)


@law
@given(n=st.integers(2, 8), a=assumptions)
def test_own_history_replaces_the_assumptions(n: int, a: Assumptions) -> None:
    """Law: the assumptions of a loop that ran as assumed are those assumptions."""
    learned = assumptions_from(loop_as_assumed(n, a, 1), Assumptions(1, 2, 3, 4, a.bill_provisioning))

    assert learned.cold_start == pytest.approx(a.cold_start)
    assert learned.warm_start == pytest.approx(a.warm_start)
    assert learned.train == pytest.approx(a.train)
    assert learned.gap == pytest.approx(a.gap, abs=1e-6)
    assert learned.bill_provisioning == a.bill_provisioning


def test_history_that_says_nothing_leaves_the_assumption() -> None:
    """What the loop has not measured stays assumed; a lost time is not taken as 0."""
    lost = JobCost(
        1, 1, None, None, None, None, None, None, None, retained_final=True, start=None, idle_until=None
    )

    assert assumptions_from([lost, lost], BRIEF) == BRIEF
    assert assumptions_from([], BRIEF) == BRIEF


def test_medians_are_taken() -> None:
    """One slow start does not spoil the forecast: the median counts."""
    history = [
        job(number, at=1_000.0 * number, startup=startup, train=120.0, start="cold", count=1)
        for number, startup in enumerate([150.0, 160.0, 900.0], start=1)
    ]

    assert assumptions_from(history, BRIEF).cold_start == 160.0


def test_worst_case_leak() -> None:
    """Killed between jobs the pool idles out; killed during one the job runs to its limit first."""
    leak = worst_case_leak(600.0, 2_700.0, 2.80, 2)

    assert leak.killed_between_jobs_seconds == 600
    assert leak.killed_between_jobs_usd == pytest.approx(2 * 2.80 / 6)
    assert leak.killed_during_job_seconds == 3_300
    assert leak.killed_during_job_usd == pytest.approx(2 * 2.80 * 55 / 60)


def test_worst_case_leak_of_unknown_price() -> None:
    """Without a price the leak is told in seconds, and in no dollars."""
    leak = worst_case_leak(600.0, 2_700.0, None)

    assert leak.to_json() == {
        "killed_between_jobs_seconds": 600.0,
        "killed_between_jobs_usd": None,
        "killed_during_job_seconds": 3_300.0,
        "killed_during_job_usd": None,
    }


def job(
    number: int, *, at: float, startup: float, train: float, start: str, count: int, idle: float = 0.0
) -> JobCost:
    end = at + startup + train
    return JobCost(
        number=number,
        instance_count=count,
        started_at=at,
        training_started_at=at + startup,
        ended_at=end,
        startup_seconds=startup,
        training_seconds=train,
        billable_seconds=train,
        retained_seconds=idle,
        retained_final=True,
        start="cold" if start == "cold" else "warm",
        idle_until=end + idle,
    )


def loop_as_assumed(n: int, a: Assumptions, count: int) -> list[JobCost]:
    """The settled jobs of a loop that runs exactly as assumed, released when its last job ends."""
    at, done = 1_000.0, []
    for number in range(1, n + 1):
        start, startup = ("cold", a.cold_start) if number == 1 else ("warm", a.warm_start)
        idle = a.gap if number < n else 0.0
        done.append(job(number, at=at, startup=startup, train=a.train, start=start, count=count, idle=idle))
        at += startup + a.train + a.gap
    return done
