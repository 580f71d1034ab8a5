"""Reads of an account without a loop: for ``plan``, ``pools``, ``gc`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.aws.permissions import PolicySimulation
from wpfsm.adapters.aws.prices import PriceList, endpoint_region
from wpfsm.adapters.aws.quotas import ServiceQuotas
from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.adapters.host.clock import WallClock
from wpfsm.fsm.errors import Unknown
from wpfsm.fsm.loopfile.model import LoopFile, own_price
from wpfsm.fsm.polling import AWS, LOOPBACK, Pace, backoff
from wpfsm.fsm.pool.quota import recent
from wpfsm.fsm.ports import Denial, Identity, JobReading, JobSummary, Price, QuotaReading, Request, Violation

T = TypeVar("T")
TRIES = 5


class AccountReader:
    """Implements :class:`wpfsm.fsm.states.preflight.checks.Account`: read-only, patient with throttling."""

    def __init__(self, target: Target, file: LoopFile | None = None) -> None:
        self.target = target
        self.clients = Clients(target)
        self.service = SageMakerTraining(self.clients)
        self.clock = WallClock()
        self.pace: Pace = LOOPBACK if target.loopback else AWS
        self._file = file
        self._quotas: ServiceQuotas | None = None
        self._prices: PriceList | None = None
        self._seen: dict[str, Price | None] = {}

    def identity(self) -> Identity:
        """Whose credentials we use."""
        return self.steady(self.service.identity)

    def quota(self, instance_type: str) -> tuple[QuotaReading | None, QuotaReading | None]:
        """Quotas of training jobs and of warm pools; a page that was read is not read again."""
        if self._quotas is None:
            self._quotas = ServiceQuotas(self.clients.quotas)
        quotas = self._quotas
        return self.steady(lambda: quotas.read(instance_type))

    def list_jobs(self, *, pool_status: str | None = None, status: str | None = None) -> list[JobSummary]:
        """Jobs of the account, over every page."""
        return self.steady(lambda: list(self.service.list_jobs(pool_status=pool_status, status=status)))

    def recent_jobs(self) -> list[JobSummary]:
        """Jobs that are young enough to hold instances, newest first."""
        return self.steady(lambda: recent(self.service.list_jobs(), self.clock.now()))

    def describe(self, name: str) -> JobReading | None:
        """One job."""
        return self.steady(lambda: self.service.describe(name))

    def tags(self, arn: str) -> Mapping[str, str]:
        """Tags of a job."""
        return self.steady(lambda: self.service.tags(arn))

    def violations(self, request: Request) -> Sequence[Violation]:
        """What the service's model refuses in a request; sends nothing."""
        return self.service.violations(request)

    def missing_permissions(self, request: Request) -> Sequence[Denial]:
        """Actions that a policy simulation does not allow."""
        return self.steady(lambda: PolicySimulation(self.clients).missing(request))

    def find_price(self) -> Price | None:
        """Price of the loop file's instance type; the loop file's own wins."""
        assert self._file is not None, "only a loop file has a price to find"
        if self._file.pool.price_per_hour is not None:
            return own_price(self._file, self.clock.now())
        return self.price(self._file.pool.instance_type)

    def price(self, instance_type: str) -> Price | None:
        """Price of any instance type here, read once."""
        if self._prices is None:
            self._prices = PriceList(self.clients.pricing(endpoint_region(self.target.region)))
        if instance_type not in self._seen:
            prices = self._prices
            self._seen[instance_type] = self.steady(lambda: prices.price(self.target.region, instance_type))
        return self._seen[instance_type]

    def steady(self, read: Callable[[], T]) -> T:
        """Repeat a read whose outcome is not known."""
        for attempt in range(TRIES):
            try:
                return read()
            except Unknown:
                if attempt == TRIES - 1:
                    raise
                self.clock.pause(backoff(self.pace, attempt))
        raise AssertionError("the last try returns or raises")
