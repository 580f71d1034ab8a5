"""Reading an account: the place in a listing is kept, its rate is kept to, and its length is bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm import gateway
from wpfsm.fsm.errors import Unknown
from wpfsm.fsm.gateway import AWS, LOOPBACK, Caller, Gateway, Services, backoff, next_read
from wpfsm.fsm.ports import JobPage, JobSummary, PoolReading

PAGE = 100
RATE = 2.0
"""Calls a second that the account may make, all its users together."""
NOW = 1_000_000_000.0


@dataclass
class Hours:
    """A clock for which waiting costs nothing."""

    at: float = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.at += seconds

    sleep = pause


class Crowded:
    """A service with many jobs, which throttles whoever lists more often than the account may.

    Args:
        clock: Tells how often.
        jobs: How many there are; the last ones run or own a pool.
        filters_first: Whether it filters before it pages.
    """

    def __init__(
        self, clock: Hours, jobs: int, *, filters_first: bool = False, throttled: bool = True
    ) -> None:
        self._clock = clock
        self._filters_first = filters_first
        self._throttled = throttled
        self._allowance, self._seen_at = 4.0, clock.now()
        self.pages: list[tuple[str, str]] = []
        ended = [
            JobSummary(f"job-{n:05}", f"arn-{n}", "Completed", NOW - n, NOW, None) for n in range(jobs - 2)
        ]
        self._jobs = [
            *ended,
            JobSummary("runs", "arn-runs", "InProgress", NOW - jobs, None, None),
            JobSummary(
                "idles", "arn-idles", "Completed", NOW - jobs, NOW, PoolReading("Available", None, None)
            ),
        ]

    def job_page(
        self, token: str = "", *, pool_status: str | None = None, status: str | None = None,
        created_after: float | None = None,
    ) -> JobPage:  # fmt: skip
        """A page, or a throttle."""
        now = self._clock.now()
        self._allowance = min(4.0, self._allowance + (now - self._seen_at) * RATE)
        self._seen_at = now
        if self._throttled and self._allowance < 1:
            raise Unknown("ThrottlingException", "Rate exceeded", operation="ListTrainingJobs")
        self._allowance -= 1
        self.pages.append((status or pool_status or "", token))

        def wanted(job: JobSummary) -> bool:
            return status in (None, job.status) and pool_status in (None, job.pool.status if job.pool else "")

        rows = [job for job in self._jobs if wanted(job)] if self._filters_first else self._jobs
        begin = int(token or 0)
        page = rows[begin : begin + PAGE]
        more = str(begin + PAGE) if begin + PAGE < len(rows) else ""
        kept = tuple(job for job in page if wanted(job))
        return JobPage(kept, more, len(kept) == PAGE)


class Heard(Caller):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def reading(self, what: str) -> None:
        """Kept."""
        self.read.append(what)


def gateway_to(service: Crowded, clock: Hours, caller: Caller | None = None) -> Gateway:
    """A gateway whose only service is this one."""
    services: Any = type("Only", (), {"service": service})()
    return Gateway(cast("Services", services), cast("Any", clock), AWS, caller=caller)


@pytest.fixture
def clock() -> Hours:
    """Time that passes when somebody waits."""
    return Hours()


@pytest.mark.parametrize("filters_first", [False, True])
def test_an_account_with_five_thousand_jobs_is_read_within_its_rate(
    clock: Hours, filters_first: bool
) -> None:
    """Every page is read once, without a throttle, and what holds something is found on the last one."""
    service, heard = Crowded(clock, 5000, filters_first=filters_first), Heard()
    found = gateway_to(service, clock, heard).recent_jobs()
    assert {"runs", "idles"} <= {job.name for job in found}
    assert len(service.pages) == len(set(service.pages)) == (5 if filters_first else 51)
    assert clock.now() - NOW < 60
    assert heard.read


def test_a_throttled_page_is_asked_for_again_and_not_the_pages_before_it(clock: Hours) -> None:
    """Somebody else uses the account's rate too: each page is answered once, however often it was refused."""
    service = Crowded(clock, 1000)
    busy = gateway_to(service, clock)
    original, refused = service.job_page, 0

    def throttled(token: str = "", **filters: Any) -> JobPage:
        nonlocal refused
        if refused % 3 < 2:
            refused += 1
            raise Unknown("ThrottlingException", "Rate exceeded", operation="ListTrainingJobs")
        refused += 1
        return original(token, **filters)

    service.job_page = throttled  # type: ignore[method-assign]
    assert {"runs", "idles"} <= {job.name for job in busy.recent_jobs()}
    assert len(service.pages) == len(set(service.pages)) == 11


def test_a_small_account_costs_one_page(clock: Hours) -> None:
    """Nobody waits, and nothing is filtered, where everything fits on a page."""
    service = Crowded(clock, 50)
    assert len(gateway_to(service, clock).recent_jobs()) == 50
    assert (len(service.pages), clock.slept) == (1, [])


def test_a_listing_without_an_end_is_cut_and_says_so(clock: Hours, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are bounded; what was left out is in the finding, and nobody takes it for nothing."""
    monkeypatch.setattr(gateway, "MOST_PAGES", 3)
    reader = gateway_to(Crowded(clock, 1000), clock)
    assert len(reader.recent_jobs()) == 300
    assert "only the newest 300" in reader.unlisted


def test_reused_pools_are_looked_for_on_two_pages(clock: Hours) -> None:
    """Where the filter comes after the paging, an account's whole history would be read for nothing."""
    service = Crowded(clock, 5000)
    assert gateway_to(service, clock).reused_pools(200) == []
    assert len(service.pages) == 2


paces = st.sampled_from([AWS, LOOPBACK])
seconds = st.floats(0, 1e7)


@given(paces, seconds, st.none() | seconds, st.booleans())
def test_a_read_is_never_sooner_or_later_than_the_bounds(pace, elapsed, expected, ending):
    """The service's rate is kept, and no job's end is missed for long."""
    assert pace.least <= next_read(pace, elapsed=elapsed, expected=expected, ending=ending) <= pace.most


@given(paces, seconds, st.none() | seconds)
def test_a_job_that_is_ending_is_read_at_once(pace, elapsed, expected):
    """Whatever was expected: its log has shown its last lines."""
    assert next_read(pace, elapsed=elapsed, expected=expected, ending=True) == pace.least


def test_reading_is_sparse_before_the_end_dense_at_it_and_sparse_long_after():
    """A job that is expected to take 200 s, on the service."""
    waits = [next_read(AWS, elapsed=at, expected=200, ending=False) for at in (0, 180, 195, 1000)]

    assert waits == pytest.approx([30, 10, 6, 30])


@given(paces, st.integers(0, 10**6))
def test_a_backoff_doubles_up_to_the_bound(pace, attempt):
    """However often a call failed, the pause is a number within the bounds and no shorter than the one before."""
    assert pace.backoff <= backoff(pace, attempt) <= backoff(pace, attempt + 1) <= pace.most
    if backoff(pace, attempt + 1) < pace.most:
        assert backoff(pace, attempt + 1) == 2 * backoff(pace, attempt)
