"""What an activity works with: the rows of its loop, the ports, the clock, and who asked it to stop.

An activity holds no state of its own. Every call that leaves the process goes through the gateway, and every row
is written here, so that each passes a named failpoint and is made only by the loop's present owner.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from wpfsm.fsm.costs import limits
from wpfsm.fsm.costs.job_cost import JobCost, bill
from wpfsm.fsm.costs.ledger import Ledger
from wpfsm.fsm.failpoints import Failpoints
from wpfsm.fsm.gateway import Caller, Gateway, PollPolicy
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.machine import MachineModel, advance
from wpfsm.fsm.pool.owner import as_reused
from wpfsm.fsm.ports import (
    Clock,
    LogArchive,
    Logs,
    Notifier,
    PatchCommand,
    Permissions,
    PoolLeases,
    Prices,
    Progress,
    Quotas,
    Renderer,
    Request,
    Resolver,
    Sources,
    StopRequest,
    Store,
    TrainingService,
)
from wpfsm.fsm.records import JSON, POOL_OVER, Change, Job, Loop, Obligation, Outcome, Price, State
from wpfsm.fsm.request.lock import LockedFields
from wpfsm.fsm.strategies import Goal, Strategy, build

T = TypeVar("T")
HEARTBEAT_SECONDS = 10.0
"""How often a controller says that it lives, whatever its state."""


class StopRequested(Exception):
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
    pace: PollPolicy = field(default_factory=PollPolicy)
    failpoints: Failpoints = field(default_factory=Failpoints)
    queue: bool = False
    """Wait for a pool that another loop holds."""
    resolver: Resolver | None = None
    """Asked about the requirements before anything is paid; None asks nobody."""
    renders_ahead: bool = False
    """Render in Preflight what later trials may need: their turns are taken where there is no SDK."""


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
        self.gateway = Gateway(ports, ports.clock, ports.pace, ports.failpoints, _Driver(self))
        self._settled: list[Job] = []
        self._tally = 0
        self._owed: set[str] = set()
        self.reload()
        self._note_owed(self.store.obligations())

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
        """The price that preflight found: that of the first lane."""
        return self.loop.price or (self.lanes()[0].price if self.loop.lane > 1 else None)

    def refresh(self) -> Loop:
        """Read the loop row again; raises ``Fenced`` when it is no longer ours."""
        self.loop = self.store.loop()
        return self.loop

    # --- the group --------------------------------------------------------------------------------

    def meet(self) -> None:
        """Note how far the group is: what depends on the siblings is committed only if nothing moves from here on."""
        if self.loop.lane:
            self._tally = self.lanes()[0].tally

    def lanes(self) -> Sequence[Loop]:
        """Every lane of the group, by number; the loop alone where it has no lanes."""
        return self.store.lanes() if self.loop.lane else (self.loop,)

    def siblings(self) -> Sequence[Loop]:
        """The other lanes of the group."""
        return [each for each in self.lanes() if each.id != self.loop.id]

    def group_jobs(self) -> Sequence[Job]:
        """Every job of every lane, by number, its pool as the jobs after it explain it."""
        return as_reused(self.store.group_jobs()) if self.loop.lane else self.jobs()

    def next_number(self) -> int:
        """The number of the group's next job."""
        last = self.store.last_job() if not self.loop.lane else next(iter(reversed(self.group_jobs())), None)
        return last.number + 1 if last else 1

    def jobs(self) -> Sequence[Job]:
        """Every job, by number; those long settled without their request and transitions.

        Rows that cannot change any more are read once, so that a loop of a thousand jobs reads a few rows a
        step and not all of them.
        """
        fresh = self.store.jobs(after=self._settled[-1].number if self._settled else 0)
        while len(fresh) > 2 and (fresh[0].pool_status in POOL_OVER or not fresh[0].arn):
            self._settled.append(replace(fresh[0], request={}, transitions=()))
            fresh = fresh[1:]
        return [*self._settled, *fresh]

    def ledger(self) -> Ledger:
        """What the loop has cost so far."""
        costs = [JobCost.of(job, self.file.pool.instance_count) for job in self.group_jobs() if job.arn]
        return Ledger.of(costs, self.price, self.clock.now(), self.file.forecast.bill_provisioning)

    def over_limit(self, judged: Job | None = None) -> str:
        """Why the limits do not admit one more job; empty when they do.

        Args:
            judged: The newest job with its diagnosis, where that is not committed yet.
        """
        jobs = [judged if judged and job.number == judged.number else job for job in self.group_jobs()]
        ledger = self.ledger()
        others = [job for job in jobs if job.lane != self.loop.lane]
        spent = limits.Spent(
            jobs=len(jobs),
            failures=sum(1 for _ in limits.unmended(jobs)),
            cost_usd=ledger.cost_usd if jobs else 0.0,
            wall_seconds=self.clock.now() - self.loop.created_at,
            cost_complete=ledger.complete,
            unknown_jobs=ledger.unknown_jobs,
            reserved_seconds=limits.under_way(others, self.clock.now()),
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
    def _limits(self) -> limits.Allowance:
        asked = self.file.limits
        return limits.Allowance(asked.max_jobs, asked.max_cost, asked.max_wall, asked.max_failures)

    def lock_differs(self, request: Request) -> str:
        """The first locked field in which a request differs from job 1, in words."""
        if self.loop.lock is None:
            return ""
        given = LockedFields.of(request, self.file.pool.session_tag_keys)
        differences = self.loop.lock.differences(given)
        return "; ".join(str(difference) for difference in differences)

    @property
    def owed(self) -> list[str]:
        """Jobs that may have left a pool, as far as this controller knows: also once the database is lost."""
        return sorted(self._owed)

    def _note_owed(self, obligations: Sequence[Obligation]) -> None:
        self._owed |= {o.job_name for o in obligations if o.status == "owed"}
        self._owed -= {o.job_name for o in obligations if o.status == "discharged"}

    # --- writing ----------------------------------------------------------------------------------

    def record(self, kind: str, why: str, *, quiet: bool = False, **rows: object) -> Loop:
        """Commit rows without a transition."""
        return self._commit(Change(kind=kind, why=why, quiet=quiet, **rows), None)  # type: ignore[arg-type]

    def transition(self, change: Change, row: MachineModel | None = None) -> Loop:
        """Commit a transition: the machine says whether it may happen, the store writes it.

        Raises:
            GuardFailed: A guard refused; nothing was written.
        """
        checked = row or MachineModel()
        checked.state = self.loop.state
        checked.owed = [obligation.job_name for obligation in self.store.obligations()]
        state = advance(checked, change.kind)
        loop = self._commit(replace(change, loop={**change.loop, "waits": {}}), state)
        self.progress.state(loop, change.why)
        return loop

    def _commit(self, change: Change, state: State | None) -> Loop:
        expects = self._tally if change.together and self.loop.lane else None
        self._note_owed(change.obligations)
        with self.ports.failpoints.around(f"commit {change.kind}"):
            self.loop = self.store.commit(replace(change, at=self.clock.now(), expects=expects), state=state)
        self._tally += expects is not None
        return self.loop

    # --- patience ---------------------------------------------------------------------------------

    def since(self, what: str) -> float:
        """When the loop began to wait for this: now, the first time; the same after a crash or in another turn.

        Kept in the loop's row until the next transition. What is safe only when one process has measured it
        itself (a quiet time) does not belong here.
        """
        now, began = self.clock.now(), self.loop.waits.get(what)
        if isinstance(began, int | float) and began <= now:
            return began
        self._keep_waits({**self.loop.waits, what: now})
        return now

    def waited_enough(self, what: str) -> None:
        """It came: the next time that it is waited for, patience begins anew."""
        if what in self.loop.waits:
            self._keep_waits({name: began for name, began in self.loop.waits.items() if name != what})

    def forget_waits(self) -> None:
        """Patience is at its end, and was said to be; whoever tries again has all of it."""
        if self.loop.waits:
            self._keep_waits({})

    def _keep_waits(self, waits: Mapping[str, JSON]) -> None:
        self.record("waiting", "", quiet=True, loop={"waits": waits})

    # --- being asked ------------------------------------------------------------------------------

    def check_stop(self) -> None:
        """Raise :class:`StopRequested` when somebody asked; keeps the heartbeat."""
        if self.ports.stop.reason == "interrupted":
            raise StopRequested(Outcome.INTERRUPTED, "interrupted (SIGINT)")
        if self.ports.stop.reason == "terminated":
            raise StopRequested(Outcome.TERMINATED, "terminated (SIGTERM)")
        if self.ports.stop.reason == "hung up":
            raise StopRequested(Outcome.TERMINATED, "its terminal was closed (SIGHUP)")
        if self.store.stop_requested():
            raise StopRequested(Outcome.STOPPED, "stopped by `wpfsm stop`")
        if self.loop.lane:
            self._check_siblings()
        self.beat()

    def group_ended(self) -> StopRequested | None:
        """Why a lane that waits in a hand-off is to release: its siblings have ended, or were asked to; else None."""
        try:
            if self.loop.lane:
                self.check_stop()
        except StopRequested as asked:
            return asked
        return None

    def _check_siblings(self) -> None:
        """What ends one lane ends the group; a lane that is let go ends nobody but itself."""
        for each in self.siblings():
            if each.outcome not in (None, Outcome.LET_GO):
                raise StopRequested(each.outcome, f"lane {each.lane} of the group ended: {each.why}")

    def beat(self) -> None:
        """Refresh the heartbeat when it is due."""
        now = self.clock.now()
        if abs(now - self._beat_at) >= HEARTBEAT_SECONDS:
            with self.ports.failpoints.around("commit heartbeat"):
                self.store.beat(now)
            self._beat_at = now

    def wait(self, seconds: float, what: str, until: float | None = None) -> None:
        """Pause, saying for what; raises :class:`StopRequested` when asked to stop."""
        self.progress.waiting(what, until)
        self.clock.pause(seconds)
        self.check_stop()

    def stay(self, seconds: float, what: str, until: float | None = None) -> None:
        """Pause without ending the turn, for what is safe only when one process has measured it."""
        self.progress.waiting(what, until)
        self.clock.sleep(seconds)


class _Driver(Caller):
    """The controller as the gateway sees it: it owns a loop, and may be asked to stop."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def before(self) -> None:
        self._ctx.beat()

    def owned(self) -> None:
        self._ctx.refresh()

    def reading(self, what: str) -> None:
        self._ctx.progress.waiting(what, None)

    def waiting(self, code: str, until: float | None) -> None:
        self._ctx.progress.waiting(f"the service: {code}", until)

    def silent_since(self, name: str, began: float) -> float:
        return min(began, self._ctx.since(_outage(name)))

    def answered(self, name: str) -> None:
        self._ctx.waited_enough(_outage(name))

    def stop_requested(self) -> None:
        if self._ctx.loop.outcome is None:
            self._ctx.check_stop()


def _outage(name: str) -> str:
    return f"the service to answer {name}"


def release(outcome: Outcome, why: str, **loop: object) -> Change:
    """The change that takes any working state to Releasing."""
    data: dict[str, JSON] = {"outcome": str(outcome)}
    return Change(
        kind="release", why=why, data=data, loop={"outcome": outcome, "why": why, "handoff": None, **loop}
    )
