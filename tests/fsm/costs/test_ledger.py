"""What a loop cost, and what it would have cost cold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.fsm.costs.job_cost import JobCost, gaps_between
from wpfsm.fsm.costs.ledger import ASSUMED_COLD_START, Ledger
from wpfsm.fsm.records import Price

law = settings(deadline=None)
PRICE = Price(
    usd_per_hour=3.60,
    source="loop file",
    as_of="2026-09-01",
    region="us-east-1",
    instance_type="ml.g5.xlarge",
)
"""A tenth of a cent a second, so that costs can be read off."""


def settled_job(number: int = 1, at: float = 0.0, **known: object) -> JobCost:
    """A cold job of 300 s startup and 120 s training whose pool idled for 90 s; all of it final."""
    job = JobCost(
        number=number,
        instance_count=1,
        started_at=at,
        training_started_at=at + 300,
        ended_at=at + 420,
        startup_seconds=300.0,
        training_seconds=120.0,
        billable_seconds=120.0,
        retained_seconds=90.0,
        retained_final=True,
        start="cold",
        idle_until=at + 510,
    )
    return replace(job, **known)


def warm_job(number: int, at: float, startup: float = 20.0) -> JobCost:
    """A job on the pool of the job before; 120 s of training, 90 s of idling, all of it final."""
    return settled_job(
        number,
        at,
        start="warm",
        startup_seconds=startup,
        training_started_at=at + startup,
        ended_at=at + startup + 120,
        idle_until=at + startup + 210,
    )


def test_settled_job_costs_what_the_service_billed() -> None:
    """A job's cost is its billable and its retained seconds at the price, and startup is not billed."""
    ledger = Ledger.of([settled_job()], PRICE, now=10_000.0)

    assert ledger.cost_usd == pytest.approx(0.210)
    assert (ledger.billable_seconds, ledger.retained_seconds, ledger.startup_seconds) == (120.0, 90.0, 300.0)
    assert ledger.final
    assert ledger.complete
    assert not ledger.jobs[0].estimated


def test_every_instance_is_billed() -> None:
    """Billable and retained seconds count once per instance, in the line, in the total and in the cost."""
    ledger = Ledger.of([settled_job(instance_count=3)], PRICE, now=10_000.0)

    assert (ledger.billable_seconds, ledger.retained_seconds) == (360.0, 270.0)
    assert (ledger.jobs[0].billable_seconds, ledger.jobs[0].retained_seconds) == (360.0, 270.0)
    assert ledger.cost_usd == pytest.approx(0.630)


def test_provisioning_counts_only_on_request() -> None:
    """With bill_provisioning the startup of every instance is billed too."""
    ledger = Ledger.of([settled_job(instance_count=2)], PRICE, now=10_000.0, bill_provisioning=True)

    assert ledger.cost_usd == pytest.approx(2 * 0.510)
    assert ledger.bill_provisioning


def test_billed_provisioning_ends_where_billed_training_starts() -> None:
    """Downloads lie between TrainingStartTime and the training itself: billed once, not as startup as well."""
    downloads = settled_job(startup_seconds=320.0, billable_seconds=140.0, ended_at=440.0, idle_until=530.0)
    ledger = Ledger.of([downloads], PRICE, now=10_000.0, bill_provisioning=True)
    assert ledger.startup_seconds == 320
    assert ledger.cost_usd == pytest.approx((300 + 140 + 90) / 1000)
    assert ledger.cold.cost_usd == pytest.approx((300 + 140) / 1000)


def test_idle_pool_is_estimated_by_the_clock_until_the_service_settles_it() -> None:
    """While the pool idles its cost grows with the clock and is marked as an estimate."""
    idle = settled_job(retained_seconds=None, retained_final=False, idle_until=None)

    ledger = Ledger.of([idle], PRICE, now=420.0 + 60.0)

    assert ledger.retained_seconds == 60.0
    assert ledger.jobs[0].estimated
    assert not ledger.final
    assert ledger.complete


def test_estimate_stops_where_the_pool_ended() -> None:
    """An idle pool that was seen to end is not billed beyond that moment, though the service is silent."""
    ended = settled_job(retained_seconds=None, retained_final=False, idle_until=450.0)

    ledger = Ledger.of([ended], PRICE, now=99_999.0)

    assert ledger.retained_seconds == 30.0
    assert ledger.jobs[0].estimated


def test_estimate_never_passes_the_keep_alive() -> None:
    """A pool that nobody has looked at for a day is not estimated beyond the end of its keep-alive."""
    forgotten = settled_job(retained_seconds=None, retained_final=False, idle_until=None, expires_at=1_020.0)

    assert Ledger.of([forgotten], PRICE, now=90_000.0).retained_seconds == 600.0


def test_pool_that_ended_unseen_is_estimated_to_the_end_of_its_keep_alive() -> None:
    """Where nobody saw the pool end, it idled at most through its keep-alive, and that is the estimate."""
    unseen = settled_job(retained_seconds=None, idle_until=None, expires_at=1_020.0)

    ledger = Ledger.of([unseen], PRICE, now=90_000.0)

    assert ledger.retained_seconds == 600.0
    assert ledger.jobs[0].estimated
    assert ledger.complete


def test_job_without_keep_alive_idles_for_no_time() -> None:
    """A job whose pool could not outlive it has no idle time, and that needs no word of the service."""
    declined = settled_job(retained_seconds=None, idle_until=None, expires_at=420.0)

    ledger = Ledger.of([declined], PRICE, now=90_000.0)

    assert ledger.retained_seconds == 0.0
    assert ledger.final
    assert ledger.complete


def test_job_that_is_over_without_a_known_end_is_unknown() -> None:
    """A job that is over is not taken for running because the service withholds its end."""
    over = settled_job(ended_at=None, training_seconds=None, billable_seconds=None, retained_seconds=0.0)

    ledger = Ledger.of([settled_job(), over], PRICE, now=90_000.0)

    assert ledger.jobs[1].billable_seconds is None
    assert not ledger.complete
    assert ledger.wall_seconds == 420.0


def test_reading_that_is_not_final_is_not_believed() -> None:
    """Retained seconds count as the service's only once the pool is Reused or Terminated."""
    early = settled_job(retained_seconds=7.0, retained_final=False, idle_until=None)

    ledger = Ledger.of([early], PRICE, now=420.0 + 60.0)

    assert ledger.retained_seconds == 60.0
    assert ledger.jobs[0].estimated


def test_running_job_is_billed_so_far() -> None:
    """A job that trains is estimated from the start of its training to now."""
    running = settled_job(
        ended_at=None,
        training_seconds=None,
        billable_seconds=None,
        retained_seconds=None,
        retained_final=False,
        idle_until=None,
    )

    ledger = Ledger.of([running], PRICE, now=340.0)

    assert (ledger.billable_seconds, ledger.retained_seconds, ledger.wall_seconds) == (40.0, 0.0, 340.0)
    assert ledger.jobs[0].estimated
    assert not ledger.final


def test_starting_job_costs_nothing_yet() -> None:
    """Before training starts no billed second has passed, and the startup so far is shown."""
    starting = JobCost(
        1, 1, 0.0, None, None, None, None, None, None, retained_final=False, start=None, idle_until=None
    )

    ledger = Ledger.of([starting], PRICE, now=50.0)

    assert ledger.cost_usd == 0.0
    assert ledger.startup_seconds == 50.0
    assert ledger.jobs[0].estimated


def test_failed_job_without_times_leaves_the_total_partial() -> None:
    """A failed job of which the service says no times is unknown, never free, and the total says so."""
    lost = JobCost(
        2, 1, 500.0, None, 900.0, None, None, None, 0.0, retained_final=True, start=None, idle_until=None
    )

    ledger = Ledger.of([settled_job(), lost], PRICE, now=10_000.0)

    assert ledger.jobs[1].billable_seconds is None
    assert not ledger.jobs[1].complete
    assert not ledger.jobs[1].estimated
    assert not ledger.complete
    assert ledger.unknown_jobs == 1
    assert ledger.cost_usd == pytest.approx(0.210)


def test_loop_of_which_nothing_is_known_has_no_cost() -> None:
    """When no part of any job is known the cost is unknown, not 0."""
    lost = JobCost(
        1, 1, None, None, 9.0, None, None, None, None, retained_final=True, start=None, idle_until=None
    )

    ledger = Ledger.of([lost], PRICE, now=10.0)

    assert ledger.cost_usd is None
    assert ledger.billable_seconds is None
    assert ledger.retained_seconds is None
    assert ledger.cold.cost_usd is None
    assert ledger.saved_usd is None
    assert ledger.wall_seconds is None


def test_unknown_price_is_unknown_in_every_figure() -> None:
    """Without a price every dollar figure is None, while the seconds are told."""
    ledger = Ledger.of([settled_job(), warm_job(2, at=510.0)], None, now=10_000.0)

    assert (ledger.cost_usd, ledger.cold.cost_usd, ledger.saved_usd) == (None, None, None)
    assert (ledger.price_per_hour, ledger.price_source, ledger.price_date) == (None, None, None)
    assert ledger.billable_seconds == 240.0
    assert ledger.saved_seconds == pytest.approx(280.0)


def test_empty_loop_costs_nothing_and_is_settled() -> None:
    """A loop that submitted nothing cost 0, which is known."""
    ledger = Ledger.of([], PRICE, now=5.0)

    assert (ledger.cost_usd, ledger.wall_seconds, ledger.final, ledger.complete) == (0.0, 0.0, True, True)
    assert ledger.speedup is None


def test_cold_loop_uses_the_measured_cold_starts() -> None:
    """Each warm start is replaced by the median of this loop's own cold starts; idle time falls away."""
    jobs = [settled_job(), warm_job(2, at=510.0), warm_job(3, at=740.0)]

    ledger = Ledger.of(jobs, PRICE, now=10_000.0)

    assert ledger.wall_seconds == 880.0
    assert (ledger.cold.measured, ledger.cold.start_seconds) == (True, 300.0)
    assert ledger.cold.wall_seconds == pytest.approx(880.0 + 2 * 280.0)
    assert ledger.cold.cost_usd == pytest.approx(0.360)
    assert ledger.saved_seconds == pytest.approx(560.0)
    assert ledger.saved_usd == pytest.approx(-0.270)
    assert ledger.speedup == pytest.approx(1440 / 880)


def test_cold_loop_bills_provisioning_where_it_is_billed() -> None:
    """With provisioning billed the cold loop pays for every cold start."""
    jobs = [settled_job(), warm_job(2, at=510.0)]

    ledger = Ledger.of(jobs, PRICE, now=10_000.0, bill_provisioning=True)

    assert ledger.cold.cost_usd == pytest.approx(2 * 0.420)
    assert ledger.cost_usd == pytest.approx(0.510 + 0.230)
    assert ledger.saved_usd == pytest.approx(0.100)


def test_cold_start_that_was_never_measured_is_an_assumption_and_says_so() -> None:
    """A loop that adopted a warm pool has no cold start of its own: the figure is assumed and marked."""
    ledger = Ledger.of([warm_job(1, at=0.0)], PRICE, now=1_000.0)

    assert not ledger.cold.measured
    assert ledger.cold.start_seconds == ASSUMED_COLD_START


def test_no_saving_is_claimed_for_a_job_whose_start_is_unknown() -> None:
    """A job that may have been cold counts the same in both loops."""
    ledger = Ledger.of([settled_job(start=None)], PRICE, now=1_000.0)

    assert ledger.saved_seconds == 0.0


def test_ledger_is_json() -> None:
    """The ledger prints as JSON with its price, its date and its source, and unknown as null."""
    lost = settled_job(2, billable_seconds=None, training_seconds=None, training_started_at=None)

    printed = json.loads(json.dumps(Ledger.of([settled_job(), lost], PRICE, now=10_000.0).to_json()))

    assert (
        printed["price_per_hour"],
        printed["price_source"],
        printed["price_date"],
    ) == (3.6, "loop file", "2026-09-01")
    assert printed["jobs"][1]["billable_seconds"] is None
    assert {"wall_seconds", "cost_usd"} <= printed["cold"].keys()
    assert printed["complete"] is False


moments = st.floats(0, 10_000)
lengths = st.floats(0, 5_000)


@st.composite
def job_costs(draw: st.DrawFn, *, known: bool = False) -> JobCost:
    """Any job; with ``known`` one that the service has settled."""
    maybe = (lambda s: s) if known else (lambda s: st.none() | s)
    at = draw(moments)
    startup, training = draw(lengths), draw(lengths)
    return JobCost(
        number=draw(st.integers(1, 999)),
        instance_count=draw(st.integers(1, 8)),
        started_at=draw(maybe(st.just(at))),
        training_started_at=draw(maybe(st.just(at + startup))),
        ended_at=draw(maybe(st.just(at + startup + training))),
        startup_seconds=draw(maybe(st.just(startup))),
        training_seconds=draw(maybe(st.just(training))),
        billable_seconds=draw(maybe(st.just(training))),
        retained_seconds=draw(maybe(lengths)),
        retained_final=True if known else draw(st.booleans()),
        start=draw(st.sampled_from(["cold", "warm"] if known else ["cold", "warm", None])),
        idle_until=draw(maybe(st.just(at + startup + training + 10))),
        expires_at=draw(st.none() | moments),
    )


def cost(ledger: Ledger) -> float:
    assert ledger.cost_usd is not None
    return ledger.cost_usd


@law
@given(jobs=st.lists(job_costs()), now=moments, provisioning=st.booleans())
def test_total_is_the_sum_of_its_lines(jobs: list[JobCost], now: float, provisioning: bool) -> None:
    """Law: the known costs add up, no figure is negative, and unknown stays unknown."""
    ledger = Ledger.of(jobs, PRICE, now, provisioning)

    known = [line.cost_usd for line in ledger.jobs if line.cost_usd is not None]
    assert (ledger.cost_usd is None) == (bool(jobs) and not known)
    assert ledger.cost_usd is None or ledger.cost_usd == pytest.approx(sum(known))
    assert all(value >= 0 for value in known)
    assert ledger.complete == (ledger.unknown_jobs == 0)
    json.dumps(ledger.to_json(), allow_nan=False)


@law
@given(jobs=st.lists(job_costs()), now=moments, later=lengths)
def test_cost_never_falls_as_time_passes(jobs: list[JobCost], now: float, later: float) -> None:
    """Law: an estimate only grows with the clock."""
    before, after = Ledger.of(jobs, PRICE, now), Ledger.of(jobs, PRICE, now + later)

    if before.cost_usd is not None:
        assert cost(after) >= before.cost_usd - 1e-9


@law
@given(jobs=st.lists(job_costs(known=True)), now=moments, later=lengths)
def test_settled_ledger_no_longer_changes(jobs: list[JobCost], now: float, later: float) -> None:
    """Law: once every job is settled the ledger is final, complete and independent of the clock."""
    ledger = Ledger.of(jobs, PRICE, now)

    assert ledger.final
    assert ledger.complete
    assert ledger == Ledger.of(jobs, PRICE, now + later)


@law
@given(jobs=st.lists(job_costs(known=True), min_size=1), factor=st.floats(0.1, 10))
def test_cost_is_linear_in_the_price(jobs: list[JobCost], factor: float) -> None:
    """Law: twice the price is twice the cost, warm and cold."""
    dearer = replace(PRICE, usd_per_hour=PRICE.usd_per_hour * factor)
    ledger, scaled = Ledger.of(jobs, PRICE, 0.0), Ledger.of(jobs, dearer, 0.0)

    assert cost(scaled) == pytest.approx(cost(ledger) * factor)
    assert ledger.cold.cost_usd is not None
    assert scaled.cold.cost_usd == pytest.approx(ledger.cold.cost_usd * factor)


@law
@given(
    jobs=st.lists(
        job_costs(known=True).map(lambda job: replace(job, start="cold", retained_seconds=0.0)), min_size=1
    )
)
def test_loop_that_ran_cold_saved_nothing(jobs: list[JobCost]) -> None:
    """Law: where every start was cold and no pool idled, the cold loop is the loop."""
    ledger = Ledger.of(jobs, PRICE, 0.0, bill_provisioning=True)

    assert ledger.saved_seconds == 0.0
    assert ledger.saved_usd == pytest.approx(0.0, abs=1e-9)


def test_gaps_are_from_end_to_next_acceptance() -> None:
    """A gap is known where both its ends are; a missing one is left out, not taken as 0."""
    jobs = [settled_job(), warm_job(2, at=510.0), settled_job(3, at=5_000.0, started_at=None)]

    assert gaps_between(jobs) == (90.0,)


def test_the_share_that_trained_leaves_out_what_was_billed_for_something_else() -> None:
    """Of 210 billed seconds 30 were installation, 10 upload and 90 idle pool: the script had 80."""
    ledger = Ledger.of([settled_job(install_seconds=30.0, upload_seconds=10.0)], PRICE, now=10_000.0)

    assert (ledger.install_seconds, ledger.upload_seconds) == (30.0, 10.0)
    assert ledger.jobs[0].trained_seconds == 80.0
    assert ledger.trained_share == pytest.approx(80 / 210)


def test_the_share_is_not_known_while_a_part_is_not() -> None:
    """A job whose log was never read may have installed for hours; one that was never billed is no such job."""
    known, unknown = settled_job(install_seconds=0.0), settled_job(2)
    assert Ledger.of([known, unknown], PRICE, now=10_000.0).trained_share is None
    refused = settled_job(
        2, billable_seconds=None, training_seconds=None, training_started_at=None, ended_at=None
    )
    assert Ledger.of([known, refused], PRICE, now=0.0).trained_share is not None
    assert Ledger.of([], PRICE, now=0.0).trained_share is None
