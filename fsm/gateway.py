"""Every call that leaves the process: made past a failpoint, only by the loop's owner, and patient with an outage.

A controller has one for its loop; the verbs that only read an account have one without a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Protocol, TypeVar

from wpfsm.fsm.errors import ServiceDenied, ServiceError, Unknown
from wpfsm.fsm.failpoints import Failpoints
from wpfsm.fsm.polling import PollPolicy, backoff
from wpfsm.fsm.ports import (
    Clock,
    Denial,
    Identity,
    JobReading,
    JobSummary,
    LogPage,
    Logs,
    Permissions,
    Price,
    Prices,
    QuotaReading,
    Quotas,
    Request,
    TrainingService,
    Violation,
)
from wpfsm.fsm.units import DAY

T = TypeVar("T")

HOLDS_AT_MOST = 60 * DAY
"""Seconds. Pending and running are limited to 28 days each (StoppingCondition), and then a pool may idle for
hours: an older job holds nothing any more."""


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

    def list_jobs(self, *, pool_status: str | None = None, status: str | None = None) -> list[JobSummary]:
        """Jobs of the account, newest first, over every page."""
        return self.steady(
            "service.list_jobs",
            lambda: list(self.services.service.list_jobs(pool_status=pool_status, status=status)),
        )

    def recent_jobs(self) -> list[JobSummary]:
        """Jobs of the account that are young enough to hold instances, newest first; later pages are not read."""

        def young(job: JobSummary) -> bool:
            return not 0 < job.created_at < self.clock.now() - HOLDS_AT_MOST

        return self.steady(
            "service.list_jobs", lambda: list(takewhile(young, self.services.service.list_jobs()))
        )

    def reused_pools(self, most: int) -> list[JobSummary]:
        """The newest jobs of the account whose pool another job took over, ``most`` at the most."""
        return self.steady(
            "service.list_jobs",
            lambda: list(islice(self.services.service.list_jobs(pool_status="Reused"), most)),
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
