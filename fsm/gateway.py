"""Every call that leaves the process: made past a failpoint, only by the loop's owner, and patient with an outage.

A controller has one for its loop; the verbs that only read an account have one without a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from wpfsm.fsm.errors import ServiceDenied, ServiceError, Unknown
from wpfsm.fsm.failpoints import Failpoints
from wpfsm.fsm.ports import (
    Clock,
    Denial,
    Identity,
    JobPage,
    JobReading,
    JobSummary,
    LogPage,
    Logs,
    Permissions,
    Prices,
    QuotaReading,
    Quotas,
    Request,
    TrainingService,
    Violation,
)
from wpfsm.fsm.records import Price
from wpfsm.fsm.units import DAY

T = TypeVar("T")

HOLDS_AT_MOST = 60 * DAY
"""Seconds. Pending and running are limited to 28 days each (StoppingCondition), and then a pool may idle for
hours: an older job holds nothing any more."""

MOST_PAGES = 200
"""Pages of a listing, of 100 jobs each, that are read at most: two minutes at the account's rate."""


class Services(Protocol):
    """The ports whose calls leave the process."""

    @property
    def service(self) -> TrainingService:
        """Training jobs and their pools."""
        ...

    @property
    def logs(self) -> Logs:
        """The jobs' logs."""
        ...

    @property
    def quotas(self) -> Quotas:
        """Service quotas."""
        ...

    @property
    def prices(self) -> Prices:
        """On-demand prices."""
        ...

    @property
    def permissions(self) -> Permissions:
        """What the credentials may do."""
        ...


class Caller:
    """Who calls. By default nobody in particular: no loop to own, nobody who may ask to stop."""

    def before(self) -> None:
        """Called before a call is announced: a controller refreshes its heartbeat."""

    def owned(self) -> None:
        """The last thing before a call: a controller reads its loop, and raises ``Fenced`` when it lost it."""

    def reading(self, what: str) -> None:
        """Something is read that may take long."""

    def waiting(self, code: str, until: float | None) -> None:
        """The service is out of reach, and is tried again until then; ``code`` is what it said last."""

    def silent_since(self, name: str, began: float) -> float:  # noqa: ARG002 - for whoever remembers
        """Since when this call has had no answer: ``began``, or earlier where somebody remembers."""
        return began

    def answered(self, name: str) -> None:
        """The call was answered: the next outage begins anew."""

    def stop_requested(self) -> None:
        """Called between two tries: a controller raises when somebody asked it to stop."""


class Gateway:
    """Reads and writes of the service, and the one loop that repeats what has no known outcome.

    Args:
        services: The ports.
        clock: Waits between two tries.
        pace: How long an outage may last, and the pauses within it.
        failpoints: Where a crash test may end the process.
        caller: The controller behind it; nobody in particular when left out.
    """

    def __init__(
        self,
        services: Services,
        clock: Clock,
        pace: PollPolicy,
        failpoints: Failpoints | None = None,
        caller: Caller | None = None,
    ) -> None:
        self.services = services
        self.clock = clock
        self.pace = pace
        self._failpoints = failpoints or Failpoints()
        self._caller = caller or Caller()
        self._listings = 0
        self.unlisted = ""
        """What a listing left out, in words; empty while it left out nothing."""

    def call(self, name: str, action: Callable[[], T]) -> T:
        """Make one call that leaves the process, if the loop is still the caller's.

        Raises:
            Fenced: Another controller took the loop over; the call was not made.
        """
        self._caller.before()
        with self._failpoints.around(f"call {name}"):
            # The last thing before the call: a controller that was suspended here may not own the loop any more.
            self._caller.owned()
            return action()

    def steady(self, name: str, action: Callable[[], T]) -> T:
        """Repeat a call that may be made twice until its outcome is known, for as long as an outage may last.

        Raises:
            Unknown: The service stayed out of reach for ``pace.outage`` seconds.
        """
        began = self.clock.now()
        attempt = 0
        while True:
            try:
                answer = self.call(name, action)
                self._caller.answered(name)
            except Unknown as error:
                if self.clock.now() - self._caller.silent_since(name, began) >= self.pace.outage:
                    raise
                self._caller.waiting(error.code, began + self.pace.outage)
                self.clock.pause(backoff(self.pace, attempt))
                attempt += 1
                self._caller.stop_requested()
            else:
                return answer

    def identity(self) -> Identity:
        """Whose credentials we use."""
        return self.steady("service.identity", self.services.service.identity)

    def describe(self, name: str) -> JobReading | None:
        """One job; None only when the service says that there is none of that name."""
        return self.steady("service.describe", lambda: self.services.service.describe(name))

    def tags(self, arn: str) -> Mapping[str, str]:
        """Tags of a job."""
        return self.steady("service.tags", lambda: self.services.service.tags(arn))

    def violations(self, request: Request) -> Sequence[Violation]:
        """What the service's model refuses in a request; nothing leaves the process."""
        return self.services.service.violations(request)

    def recent_jobs(self) -> list[JobSummary]:
        """Jobs that may hold instances now, newest first: those that run or are being stopped, and owners of pools.

        An account with few young jobs is read in one page. Of one with many only those are asked for that can hold
        something, unless the service filters after it has paged, where one listing of all costs less than four.
        """
        young = self.clock.now() - HOLDS_AT_MOST
        first = self._job_page("", 1, created_after=young)
        if not first.token:
            return [*first.jobs]
        running = self._job_page("", 2, status="InProgress", created_after=young)
        if running.token and not running.full:
            return [*first.jobs, *self._pages(first.token, created_after=young)]
        found = [*running.jobs, *self._pages(running.token, status="InProgress", created_after=young)]
        found += self._listed(status="Stopping", created_after=young)
        for pool in ("Available", "InUse"):
            found += self._listed(pool_status=pool, created_after=young)
        once = {job.name: job for job in found}
        return sorted(once.values(), key=lambda job: -job.created_at)

    def reused_pools(self, most: int) -> list[JobSummary]:
        """Among the newest jobs of the account those whose pool another job took over, ``most`` at the most.

        Two pages are read: the listing is slow, and what it tells is worth no more.
        """
        first = self._job_page("", 1, pool_status="Reused")
        second = self._job_page(first.token, 2, pool_status="Reused").jobs if first.token else ()
        return [*first.jobs, *second][:most]

    def _listed(
        self, *, pool_status: str | None = None, status: str | None = None, created_after: float
    ) -> list[JobSummary]:
        page = self._job_page("", 1, pool_status=pool_status, status=status, created_after=created_after)
        more = self._pages(page.token, pool_status=pool_status, status=status, created_after=created_after)
        return [*page.jobs, *more]

    def _pages(
        self,
        token: str,
        *,
        pool_status: str | None = None,
        status: str | None = None,
        created_after: float | None = None,
    ) -> list[JobSummary]:
        """The pages from a token on; what is beyond :data:`MOST_PAGES` is left out, and said to be."""
        found: list[JobSummary] = []
        number = 2
        while token:
            if number > MOST_PAGES:
                self.unlisted = f"of the jobs of this account only the newest {MOST_PAGES * 100} were read"
                break
            page = self._job_page(
                token, number, pool_status=pool_status, status=status, created_after=created_after
            )
            found += page.jobs
            token, number = page.token, number + 1
        return found

    def _job_page(
        self,
        token: str,
        number: int,
        *,
        pool_status: str | None = None,
        status: str | None = None,
        created_after: float | None = None,
    ) -> JobPage:
        """One page, tried by itself: what was throttled is asked for again, and not the pages before it."""
        if self._listings:
            self.clock.sleep(self.pace.listing)
        if number > 1:
            self._caller.reading(f"the account's jobs, page {number}")
        self._listings += 1
        return self.steady(
            "service.list_jobs",
            lambda: self.services.service.job_page(
                token, pool_status=pool_status, status=status, created_after=created_after
            ),
        )

    def read_log(self, job_name: str, cursor: str) -> LogPage | None:
        """Lines of a job's log after a cursor; None when it cannot be read now.

        Tried once: the log is the last thing that a loop may stand or fall with, and while it is waited for the
        job would not be followed.

        Raises:
            ServiceDenied: The credentials may not read logs.
        """
        try:
            return self.call("logs.read", lambda: self.services.logs.read(job_name, cursor))
        except ServiceDenied:
            raise
        except ServiceError as error:
            self._caller.waiting(f"{error.code}, for the log of {job_name}", None)
            return None

    def quota(self, instance_type: str) -> tuple[QuotaReading | None, QuotaReading | None]:
        """Quotas of training jobs and of warm pools."""
        return self.steady("quotas.read", lambda: self.services.quotas.read(instance_type))

    def missing_permissions(self, request: Request) -> Sequence[Denial]:
        """Actions that a policy simulation does not allow."""
        return self.steady("permissions.missing", lambda: self.services.permissions.missing(request))

    def price(self, region: str, instance_type: str) -> Price | None:
        """On-demand price of one instance; None when unknown."""
        return self.steady("prices.price", lambda: self.services.prices.price(region, instance_type))

    def set_keep_alive(self, job_name: str, seconds: int) -> None:
        """Set the keep-alive of the pool that a job owns; 0 releases it. Made twice, it says the same twice.

        Raises:
            Rejected: The service refused: the pool is Reused, Terminated or not there.
        """
        self.steady("service.set_keep_alive", lambda: self.services.service.set_keep_alive(job_name, seconds))

    def stop(self, job_name: str) -> None:
        """Ask the service to stop a job.

        Raises:
            Rejected: It is terminal already.
        """
        self.steady("service.stop", lambda: self.services.service.stop(job_name))


@dataclass(frozen=True)
class PollPolicy:
    """Bounds of waiting, in seconds.

    Attributes:
        least: Between two reads of a job that may end now.
        most: Between two reads of a job that will not end soon.
        grace: How long a member that is not there yet may stay away (WarmPoolStatus appears late).
        quiet: After the last send of a create: how long its job may still appear.
        release: How long a release may take before it is called not confirmed.
        outage: How long the service may stay out of reach before the loop gives up.
        log: Between two reads of the log of a running job.
        backoff: First pause after a transient error; doubles up to ``most``.
        listing: Between two pages of a listing of jobs: the account may list twice a second, all its users together.
        retry: Pause before a configuration that failed through no fault of its own is submitted again.
        woken: An event ends the pause when the job has ended: the next read is only the net below it.
        siblings: Between two looks of a lane at the others, on which it waits.
    """

    least: float = 5.0
    most: float = 30.0
    grace: float = 60.0
    quiet: float = 90.0
    release: float = 900.0
    outage: float = 600.0
    backoff: float = 2.0
    log: float = 10.0
    retry: float = 30.0
    listing: float = 0.6
    woken: bool = False
    siblings: float = 5.0


AWS = PollPolicy()


LOOPBACK = PollPolicy(
    least=0.05,
    most=0.5,
    grace=2.0,
    quiet=3.0,
    release=180.0,
    outage=30.0,
    backoff=0.1,
    log=1.0,
    retry=0.5,
    listing=0.0,
    siblings=0.05,
)
"""For an endpoint on this machine: nothing is rate limited and nothing is eventually consistent for long."""


def next_read(pace: PollPolicy, *, elapsed: float, expected: float | None, ending: bool) -> float:
    """Seconds until the next read: dense where the end is likely, sparse before and long after.

    Args:
        pace: The bounds.
        elapsed: Seconds since the job was accepted.
        expected: What the jobs before took; None without history.
        ending: The log has shown what the driver prints last, or the artifacts are being uploaded.
    """
    if ending:
        return pace.least
    if pace.woken:
        return pace.most
    if expected is None:
        return _bounded(pace, elapsed * 0.1)
    left = expected * EARLIEST - elapsed
    if left > 0:
        return _bounded(pace, left)
    return _bounded(pace, max(expected * RESOLUTION, (elapsed - expected) * 0.1))


EARLIEST = 0.95
"""A job is expected to end at the earliest after this share of what the ones before it took."""


RESOLUTION = 0.03
"""How exactly a job's end is worth knowing, as a share of its duration: a longer job is read less often."""


def _bounded(pace: PollPolicy, seconds: float) -> float:
    return min(pace.most, max(pace.least, seconds))


def backoff(pace: PollPolicy, attempt: int) -> float:
    """Seconds before try number ``attempt`` + 1 after a transient error."""
    return float(min(pace.most, pace.backoff * 2 ** min(attempt, 16)))
