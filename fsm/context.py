"""What an activity works with: the rows of its loop, the ports, the clock, and who asked it to stop.

An activity holds no state of its own. Every call that leaves the process goes through here, so that it
passes a named boundary and is made only by the loop's present owner.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from wpfsm.fsm.costs import limits
from wpfsm.fsm.costs.job_cost import bill, cost_of
from wpfsm.fsm.costs.ledger import Ledger, settle
from wpfsm.fsm.errors import Unknown
from wpfsm.fsm.failpoints import Boundaries
from wpfsm.fsm.loopfile.model import LoopFile, own_price
from wpfsm.fsm.machine import Row, advance
from wpfsm.fsm.polling import Pace, backoff
from wpfsm.fsm.pool.quota import recent
from wpfsm.fsm.ports import (
    Clock,
    Denial,
    Identity,
    JobReading,
    JobSummary,
    LogArchive,
    LogPage,
    Logs,
    Notifier,
    PatchCommand,
    Permissions,
    PoolLeases,
    Price,
    Prices,
    Progress,
    QuotaReading,
    Quotas,
    Renderer,
    Request,
    Sources,
    StopRequest,
    Store,
    TrainingService,
    Violation,
)
from wpfsm.fsm.records import JSON, POOL_OVER, Change, Job, Loop, Outcome
from wpfsm.fsm.request.lock import LockedFields
from wpfsm.fsm.strategies import Goal, Strategy, build

T = TypeVar("T")


class StopAsked(Exception):
    """A signal or ``wpfsm stop`` asked the controller to stop; the loop goes to Releasing."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why


@dataclass
class Ports:
    """The adapters of one controller."""

    store: Store
    service: TrainingService
    logs: Logs
    archive: LogArchive
    quotas: Quotas
    prices: Prices
    permissions: Permissions
    renderer: Renderer
    sources: Sources
    leases: PoolLeases
    notifier: Notifier
    command: PatchCommand
    clock: Clock
    stop: StopRequest
    progress: Progress
    pace: Pace = field(default_factory=Pace)
    boundaries: Boundaries = field(default_factory=Boundaries)


class Context:
    """The activities' view of one loop.

    Args:
        ports: The adapters.
    """

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.pace = ports.pace
        self.clock = ports.clock
        self.progress = ports.progress
        self.sources = ports.sources
        self.archive = ports.archive
        self.store = ports.store
        self._beat_at = 0.0
        self._settled: list[Job] = []
        self.reload()

    def reload(self) -> None:
        """Read the loop again, its file included."""
        self.loop: Loop = self.store.loop()
        self.file = LoopFile.model_validate(self.loop.loop_file)
        self.strategy: Strategy = build(self.file.strategy, self.goal, self.file.job.hyperparameters)

    # --- what the loop is -------------------------------------------------------------------------

    @property
    def goal(self) -> Goal | None:
        """The metric and its direction."""
        metric = self.file.metric
        return Goal(metric.name, metric.goal) if metric else None

    @property
    def keep_alive(self) -> float:
        """Seconds that a job asks its pool to stay; 0 when the loop declined the pool."""
        return float(self.file.pool.keep_alive or 0) if self.file.keeps_pool else 0.0

    @property
    def price(self) -> Price | None:
        """The price that preflight found."""
        return Price(**self.loop.price) if self.loop.price else None  # type: ignore[arg-type]

    def refresh(self) -> Loop:
        """Read the loop row again; raises ``Fenced`` when it is no longer ours."""
        self.loop = self.store.loop()
        return self.loop

    def jobs(self) -> Sequence[Job]:
        """Every job, by number; those long settled without their request and transitions.

        Rows that cannot change any more are read once, so that a loop of a thousand jobs reads a few rows a
        step and not all of them.
        """
        fresh = self.store.jobs(after=len(self._settled))
        while len(fresh) > 2 and (fresh[0].pool_status in POOL_OVER or not fresh[0].arn):
            self._settled.append(replace(fresh[0], request={}, transitions=()))
            fresh = fresh[1:]
        return [*self._settled, *fresh]

    def ledger(self) -> Ledger:
        """What the loop has cost so far."""
        costs = [cost_of(job, self.file.pool.instance_count) for job in self.jobs() if job.arn]
        return settle(costs, self.price, self.clock.now(), self.file.forecast.bill_provisioning)

    def over_limit(self, judged: Job | None = None) -> str:
        """Why the limits do not admit one more job; empty when they do.

        Args:
            judged: The newest job with its diagnosis, where that is not committed yet.
        """
        jobs = [judged if judged and job.number == judged.number else job for job in self.jobs()]
        ledger = self.ledger()
        spent = limits.Spent(
            jobs=len(jobs),
            failures=sum(job.diagnosis is not None for job in jobs),
            cost_usd=ledger.cost_usd if jobs else 0.0,
            wall_seconds=self.clock.now() - self.loop.created_at,
            cost_complete=ledger.complete,
            unknown_jobs=ledger.unknown_jobs,
        )
        refusal = limits.admit(
            self._limits,
            spent,
            max_runtime=self.file.job.max_runtime,
            keep_alive=self.keep_alive,
            price_per_hour=self.price.usd_per_hour if self.price else None,
            instance_count=self.file.pool.instance_count,
        )
        return refusal.text if refusal else ""

    def idle_within_limits(self) -> float:
        """Seconds for which the pool may idle from now on without passing ``limits.max_cost``."""
        spent = self.ledger().cost_usd
        if self._limits.max_cost is None or self.price is None or spent is None:
            return math.inf
        rate = bill(1.0, self.price.usd_per_hour, self.file.pool.instance_count)
        return max(0.0, self._limits.max_cost - spent) / rate if rate else math.inf

    @property
    def _limits(self) -> limits.Limits:
        asked = self.file.limits
        return limits.Limits(asked.max_jobs, asked.max_cost, asked.max_wall, asked.max_failures)

    def lock_differs(self, request: Request) -> str:
        """The first locked field in which a request differs from job 1, in words."""
        if self.loop.lock is None:
            return ""
        given = LockedFields.of(request, self.file.pool.session_tag_keys)
        differences = LockedFields.from_json(self.loop.lock).differences(given)
        return "; ".join(str(difference) for difference in differences)

    # --- writing ----------------------------------------------------------------------------------

    def record(self, kind: str, why: str, *, quiet: bool = False, **rows: object) -> Loop:
        """Commit rows without a transition."""
        return self._commit(Change(kind=kind, why=why, quiet=quiet, **rows), None)  # type: ignore[arg-type]

    def transition(self, change: Change, row: Row | None = None) -> Loop:
        """Commit a transition: the machine says whether it may happen, the store writes it.

        Raises:
            GuardFailed: A guard refused; nothing was written.
        """
        checked = row or Row()
        checked.state = self.loop.state
        checked.owed = [obligation.job_name for obligation in self.store.obligations()]
        state = advance(checked, change.kind)
        loop = self._commit(change, state)
        self.progress.state(loop, change.why)
        return loop

    def _commit(self, change: Change, state: object) -> Loop:
        with self.ports.boundaries.around(f"commit {change.kind}"):
            self.loop = self.store.commit(replace(change, at=self.clock.now()), state=state)  # type: ignore[arg-type]
        return self.loop

    # --- calls ------------------------------------------------------------------------------------

    def call(self, name: str, action: Callable[[], T]) -> T:
        """Make one call that leaves the process, if the loop is still ours."""
        self._beat()
        with self.ports.boundaries.around(f"call {name}"):
            # The last thing before the call: a controller that was suspended here may not own the loop any more.
            self.refresh()
            return action()

    def identity(self) -> Identity:
        """Whose credentials we use."""
        return self.steady("service.identity", self.ports.service.identity)

    def describe(self, name: str) -> JobReading | None:
        """Read a job, patient with an unreachable service."""
        return self.steady("service.describe", lambda: self.ports.service.describe(name))

    def tags(self, arn: str) -> Mapping[str, str]:
        """Tags of a job."""
        return self.steady("service.tags", lambda: self.ports.service.tags(arn))

    def violations(self, request: Request) -> Sequence[Violation]:
        """What the service's model refuses in a request; nothing leaves the process."""
        return self.ports.service.violations(request)

    def recent_jobs(self) -> list[JobSummary]:
        """Jobs of the account that are young enough to hold instances, newest first."""
        return self.steady(
            "service.list_jobs", lambda: recent(self.ports.service.list_jobs(), self.clock.now())
        )

    def reused_pools(self, most: int) -> list[JobSummary]:
        """The newest jobs of the account whose pool another job took over."""
        return self.steady(
            "service.list_jobs",
            lambda: list(islice(self.ports.service.list_jobs(pool_status="Reused"), most)),
        )

    def read_log(self, job: Job, cursor: str) -> LogPage:
        """Lines after a cursor."""
        return self.steady("logs.read", lambda: self.ports.logs.read(job.name, cursor))

    def quota(self, instance_type: str) -> tuple[QuotaReading | None, QuotaReading | None]:
        """Quotas of training jobs and warm pools."""
        return self.steady("quotas.read", lambda: self.ports.quotas.read(instance_type))

    def missing_permissions(self, request: Request) -> Sequence[Denial]:
        """Actions that a policy simulation does not allow."""
        return self.steady("permissions.missing", lambda: self.ports.permissions.missing(request))

    def find_price(self) -> Price | None:
        """The loop file's price, else the price list's."""
        pool = self.file.pool
        if pool.price_per_hour is not None:
            return own_price(self.file, self.clock.now())
        return self.steady(
            "prices.price", lambda: self.ports.prices.price(self.file.region, pool.instance_type)
        )

    def steady(self, name: str, action: Callable[[], T]) -> T:
        """Repeat a read until its outcome is known, for as long as an outage may last.

        Raises:
            Unknown: The service stayed out of reach for ``pace.outage`` seconds.
        """
        began = self.clock.now()
        attempt = 0
        while True:
            try:
                return self.call(name, action)
            except Unknown as error:
                if self.clock.now() - began >= self.pace.outage:
                    raise
                self.progress.waiting(f"the service: {error.code}", None)
                self.clock.pause(backoff(self.pace, attempt))
                attempt += 1
                if self.loop.outcome is None:
                    self.check_stop()

    # --- being asked ------------------------------------------------------------------------------

    def check_stop(self) -> None:
        """Raise :class:`StopAsked` when somebody asked; keeps the heartbeat."""
        if self.ports.stop.reason == "interrupted":
            raise StopAsked(Outcome.INTERRUPTED, "interrupted (SIGINT)")
        if self.ports.stop.reason == "terminated":
            raise StopAsked(Outcome.TERMINATED, "terminated (SIGTERM)")
        if self.ports.stop.reason == "hung up":
            raise StopAsked(Outcome.TERMINATED, "its terminal was closed (SIGHUP)")
        if self.store.stop_requested():
            raise StopAsked(Outcome.STOPPED, "stopped by `wpfsm stop`")
        self._beat()

    def _beat(self) -> None:
        """Refresh the heartbeat every ten seconds, whatever the state."""
        now = self.clock.now()
        if abs(now - self._beat_at) >= 10:
            with self.ports.boundaries.around("commit heartbeat"):
                self.store.beat(now)
            self._beat_at = now

    def wait(self, seconds: float, what: str, until: float | None = None) -> None:
        """Pause, saying for what; raises :class:`StopAsked` when asked to stop."""
        self.progress.waiting(what, until)
        self.clock.pause(seconds)
        self.check_stop()


def release(outcome: Outcome, why: str, **loop: object) -> Change:
    """The change that takes any working state to Releasing."""
    data: dict[str, JSON] = {"outcome": str(outcome)}
    return Change(
        kind="release", why=why, data=data, loop={"outcome": outcome, "why": why, "handoff": None, **loop}
    )
