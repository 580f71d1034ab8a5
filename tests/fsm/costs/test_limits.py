"""A job that could pass a limit is refused before it is submitted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.fsm.costs.limits import Allowance, Refusal, Spent, admit, exhausted, worst_case_usd

law = settings(deadline=None)


def ask(limits: Allowance, spent: Spent, **changed: float | None) -> Refusal | None:
    """Asks for one more job of 45 min, 10 min of keep-alive, two instances at $3.00: $5.50 at worst."""
    job: dict[str, float | None] = {
        "max_runtime": 2_700.0,
        "keep_alive": 600.0,
        "price_per_hour": 3.0,
    } | changed
    return admit(
        limits,
        spent,
        max_runtime=job["max_runtime"] or 0.0,
        keep_alive=job["keep_alive"] or 0.0,
        price_per_hour=job["price_per_hour"],
        instance_count=2,
    )


def test_no_limits_admit_everything() -> None:
    """Without limits nothing is refused, not even at an unknown price."""
    assert (
        ask(Allowance(), Spent(jobs=999, failures=999, cost_usd=None, wall_seconds=1e9), price_per_hour=None)
        is None
    )


def test_worst_case_within_max_cost_is_admitted() -> None:
    """A worst case that meets the limit to the cent is within it."""
    assert ask(Allowance(max_cost=15.0), Spent(jobs=1, cost_usd=9.50)) is None


def test_worst_case_beyond_max_cost_is_refused_with_the_arithmetic() -> None:
    """The refusal names the limit, the sum, and what to change."""
    refusal = ask(Allowance(max_cost=15.0), Spent(jobs=1, cost_usd=9.51))

    assert refusal is not None
    assert refusal.limit == "max_cost"
    assert (refusal.allowed, refusal.spent) == (15.0, 9.51)
    assert refusal.worst_case == pytest.approx(5.50)
    assert "$9.51 spent + $5.50 at worst" in refusal.text
    assert "45 min of job.max_runtime + 10 min of keep-alive = 2 x 55 min x $3.00/h) > $15.00" in refusal.text
    assert "limits.max_cost" in refusal.text


def test_max_cost_needs_a_price() -> None:
    """At an unknown price nothing can be shown to stay within max_cost: refused, with the fix."""
    refusal = ask(Allowance(max_cost=15.0), Spent(), price_per_hour=None)

    assert refusal is not None
    assert refusal.limit == "max_cost"
    assert refusal.worst_case is None
    assert "pool.price_per_hour" in refusal.text


def test_jobs_of_unknown_cost_are_charged_at_their_worst() -> None:
    """A job whose times the service lost is not free: it counts as its worst case, and the text says so."""
    lost = Spent(jobs=3, cost_usd=1.0, cost_complete=False, unknown_jobs=2)

    assert ask(Allowance(max_cost=17.5), lost) is None
    refusal = ask(Allowance(max_cost=17.4), lost)

    assert refusal is not None
    assert "2 of unknown cost x $5.50" in refusal.text


def test_partial_cost_of_unknown_extent_charges_every_job() -> None:
    """When it is not known how many jobs lack a cost, each of them may."""
    assert ask(Allowance(max_cost=22.9), Spent(jobs=3, cost_usd=1.0, cost_complete=False)) is not None
    assert ask(Allowance(max_cost=22.0), Spent(jobs=3, cost_usd=None)) is None
    assert ask(Allowance(max_cost=21.9), Spent(jobs=3, cost_usd=None)) is not None
    assert ask(Allowance(max_cost=21.9), Spent(jobs=3, cost_usd=None, unknown_jobs=1)) is not None


def test_max_wall_counts_the_next_job_to_its_limit() -> None:
    """A job that may run beyond max_wall is refused, and the text tells how much time is left."""
    limits = Allowance(max_wall=10_800.0)

    assert ask(limits, Spent(wall_seconds=8_100.0)) is None
    refusal = ask(limits, Spent(wall_seconds=8_160.0))

    assert refusal is not None
    assert refusal.limit == "max_wall"
    assert "2 h 16 min used + 45 min of job.max_runtime > 3 h" in refusal.text
    assert "44 min are left" in refusal.text


@pytest.mark.parametrize(
    ("limits", "spent", "name", "words"),
    [
        (Allowance(max_jobs=12), Spent(jobs=12), "max_jobs", "12 jobs of 12"),
        (Allowance(max_failures=4), Spent(jobs=6, failures=4), "max_failures", "4 failed jobs of 4"),
        (Allowance(max_wall=3_600.0), Spent(wall_seconds=3_600.0), "max_wall", "1 h of 1 h"),
        (Allowance(max_cost=5.0), Spent(cost_usd=5.25), "max_cost", "$5.25 of $5.00"),
    ],
)
def test_reached_limit_refuses_whatever_is_asked(
    limits: Allowance, spent: Spent, name: str, words: str
) -> None:
    """A limit that is reached ends the loop, and is told as reached, not as a worst case."""
    reached = exhausted(limits, spent)

    assert reached is not None
    assert reached.limit == name
    assert words in reached.text
    assert ask(limits, spent) == reached


def test_limits_below_are_not_exhausted() -> None:
    """One short of each limit, the loop goes on."""
    limits = Allowance(max_jobs=12, max_cost=100.0, max_wall=10_800.0, max_failures=4)

    assert exhausted(limits, Spent(jobs=11, failures=3, cost_usd=94.5, wall_seconds=8_000.0)) is None
    assert ask(limits, Spent(jobs=11, failures=3, cost_usd=94.5, wall_seconds=8_000.0)) is None


limits_of = st.builds(
    Allowance,
    max_jobs=st.none() | st.integers(1, 20),
    max_cost=st.none() | st.floats(0.01, 200),
    max_wall=st.none() | st.floats(1, 50_000),
    max_failures=st.none() | st.integers(1, 10),
)
jobs_run = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans()),
    max_size=30,
)
"""Of each job: the part of its runtime used, the part of its keep-alive, whether it failed, whether its cost is known."""


@law
@given(
    limits=limits_of,
    run=jobs_run,
    max_runtime=st.floats(1, 5_000),
    keep_alive=st.floats(0, 3_600),
    rate=st.floats(0.01, 50),
    count=st.integers(1, 8),
)
def test_admitted_loop_never_passes_a_limit(
    limits: Allowance,
    run: list[tuple[float, float, bool, bool]],
    max_runtime: float,
    keep_alive: float,
    rate: float,
    count: int,
) -> None:
    """Law: if every job stays within its worst case, no admitted loop passes any limit, even with costs unknown."""
    jobs = failures = unknown = 0
    true_cost = known_cost = wall = 0.0
    for used, idled, failed, told in run:
        spent = Spent(jobs, failures, known_cost, wall, cost_complete=not unknown, unknown_jobs=unknown)
        if admit(
            limits,
            spent,
            max_runtime=max_runtime,
            keep_alive=keep_alive,
            price_per_hour=rate,
            instance_count=count,
        ):
            break
        cost = worst_case_usd(used * max_runtime, idled * keep_alive, rate, count)
        jobs, failures, unknown = jobs + 1, failures + failed, unknown + (not told)
        true_cost, known_cost = true_cost + cost, known_cost + cost * told
        wall += used * max_runtime
    assert limits.max_jobs is None or jobs <= limits.max_jobs
    assert limits.max_failures is None or failures <= limits.max_failures
    assert limits.max_cost is None or true_cost <= limits.max_cost + 1e-6
    assert limits.max_wall is None or wall <= limits.max_wall + 1e-6


@law
@given(
    limits=limits_of,
    jobs=st.integers(0, 25),
    failures=st.integers(0, 12),
    cost=st.floats(0, 300),
    wall=st.floats(0, 60_000),
    more=st.floats(0, 100),
)
def test_refusal_is_never_taken_back(
    limits: Allowance, jobs: int, failures: int, cost: float, wall: float, more: float
) -> None:
    """Law: what is refused now is refused after more was spent."""
    if ask(limits, Spent(jobs, failures, cost, wall)):
        assert ask(limits, Spent(jobs + 1, failures, cost + more, wall + more))


@law
@given(limits=limits_of, jobs=st.integers(0, 25), cost=st.floats(0, 300), wall=st.floats(0, 60_000))
def test_exhausted_implies_refused(limits: Allowance, jobs: int, cost: float, wall: float) -> None:
    """Law: a reached limit admits no job, however small."""
    spent = Spent(jobs, 0, cost, wall)

    if exhausted(limits, spent):
        assert ask(limits, spent, max_runtime=0.0, keep_alive=0.0)
