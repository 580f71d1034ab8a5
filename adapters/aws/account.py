"""An account without a loop: for ``plan``, ``pools``, ``gc``, ``release --job`` and ``doctor``."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.aws.logs import CloudWatchLogs
from wpfsm.adapters.aws.permissions import PolicySimulation
from wpfsm.adapters.aws.prices import PriceList, endpoint_region
from wpfsm.adapters.aws.quotas import ServiceQuotas
from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.terminal.output import hint
from wpfsm.fsm.gateway import AWS, LOOPBACK, Caller, Gateway
from wpfsm.fsm.ports import JobSummary
from wpfsm.fsm.records import Price

PATIENCE = 15
"""How many first pauses an outage may last for a verb that only reads: a person waits for its answer."""


class AwsServices:
    """The ports of an account; each client is made when it is first needed."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.service = SageMakerTraining(clients)

    @cached_property
    def logs(self) -> CloudWatchLogs:
        """The logs of the account."""
        return CloudWatchLogs(self._clients)

    @cached_property
    def quotas(self) -> ServiceQuotas:
        """Its service quotas."""
        return ServiceQuotas(self._clients.quotas)

    @cached_property
    def prices(self) -> PriceList:
        """The price list."""
        return PriceList(self._clients.pricing(endpoint_region(self._clients.target.region)))

    @cached_property
    def permissions(self) -> PolicySimulation:
        """What its credentials may do."""
        return PolicySimulation(self._clients)


class _Person(Caller):
    """Somebody at a terminal, who is told what takes long."""

    def reading(self, what: str) -> None:
        hint(f"reading {what}")


class Account(Gateway):
    """The gateway to an account that no loop of this process drives.

    Args:
        target: Where its calls go.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.clients = Clients(target)
        pace = LOOPBACK if target.loopback else AWS
        patient = replace(pace, outage=PATIENCE * pace.backoff)
        super().__init__(AwsServices(self.clients), WallClock(), patient, caller=_Person())
        self._prices: dict[str, Price | None] = {}

    @cached_property
    def holders(self) -> list[JobSummary]:
        """Jobs that may hold instances, read once."""
        return self.recent_jobs()

    def price_here(self, instance_type: str) -> Price | None:
        """On-demand price of an instance type in this region, read once; None when unknown."""
        if instance_type not in self._prices:
            self._prices[instance_type] = self.price(self.target.region, instance_type)
        return self._prices[instance_type]
