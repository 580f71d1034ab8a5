"""The engine: one clock, one lock, and everything that is due on it, in order.

Time moves only in ``tick``, which every request and the background thread call. It takes what is due one by
one at its own moment, so that a clock that jumps by a month has the same history as one that crept.
"""

from __future__ import annotations

import functools
import logging
import queue
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from wpfsm.adapters.emulator.engine.clock import Clock
from wpfsm.adapters.emulator.engine.errors import ConnectionCut, ServiceError, not_stored
from wpfsm.adapters.emulator.engine.jobs import Jobs, training_job_arn
from wpfsm.adapters.emulator.engine.lifecycle import INTERNAL_ERROR, Arrival, Lifecycle
from wpfsm.adapters.emulator.engine.log_store import LogStore
from wpfsm.adapters.emulator.engine.pools import Pools, why_ended
from wpfsm.adapters.emulator.engine.quotas import Quotas
from wpfsm.adapters.emulator.engine.records import (
    Job,
    JobEnd,
    Phase,
    Place,
    Pool,
    PoolStatus,
    Secondary,
    Status,
)
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.engine.workers import Inline, Workers
from wpfsm.adapters.emulator.engine.workspace import Workspace
from wpfsm.adapters.emulator.runner.base import Ending, Foretelling, Runner, Watched

logger = logging.getLogger(__name__)

LOST = JobEnd(Status.FAILED, Secondary.FAILED, INTERNAL_ERROR)
STOLEN_FOR = 600.0
"""Seconds for which the job of somebody else runs on a pool that it took."""

UNWATCHED_INTERVAL = 0.02
"""Real seconds between looks at a runner that does not call when a job's processes end."""


@dataclass(frozen=True)
class _Event:
    time: float
    order: int
    happen: Callable[[float], None]


class Engine:
    """Training jobs and their pools.

    Args:
        store: Where they are remembered. Jobs that run in it have lost their processes: they fail.
        runner: Makes the runner from the log sink and from a function that tells the moment of what is
            happening, which is the present or, after a jump of the clock, before it.
        workers: Does the blocking work of jobs; inline when None.
        root: For job directories and caches; when None none are made, which suits made-up jobs.
    """

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        clock: Clock,
        runner: Callable[[LogStore, Callable[[], float]], Runner],
        workers: Workers | None = None,
        root: Path | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.quotas = Quotas(store, settings)
        self.logs = LogStore(store, clock, escapes=settings.switches.log_escapes)
        self._moment: float | None = None
        self._closed = False
        self.runner = runner(self.logs, self.moment)
        self.changed = threading.Event()
        self._workspace = Workspace(root, settings.switches)
        self._workers = workers or Inline()
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._taken: list[Arrival] = []
        """Arrivals of the transaction at hand: they come again when it cannot be written."""
        self.pools = Pools(store, settings, self.quotas, self._drop_cache)
        self._life = Lifecycle(
            store=store,
            settings=settings,
            pools=self.pools,
            logs=self.logs,
            runner=self.runner,
            workers=self._workers,
            arrive=self._arrive,
            workspace=self._workspace,
        )
        self.jobs = Jobs(store, self.quotas, self.pools, self._life, self._workspace)
        self._foretelling = self.runner if isinstance(self.runner, Foretelling) else None
        self._watched = isinstance(self.runner, Watched)
        if isinstance(self.runner, Watched):
            self.runner.on_exit(lambda _: self.changed.set())
        self._recover()

    def close(self) -> None:
        """Kill what runs and let go of everything; a request that comes later gets no answer."""
        with self.store.lock:
            if self._closed:
                return
            self._closed = True
        self.runner.close()
        self._workers.close()
        self.store.close()

    def _recover(self) -> None:
        """Fail the jobs whose processes died with the emulator before this one, as lost hardware would.

        What it left in directories is removed meanwhile.
        """
        with self.store.lock:
            pools = [pool.number for pool in self.store.open_pools()]
            for path in self._workspace.set_aside_leftovers(pools):
                self._workers.submit(functools.partial(shutil.rmtree, path, ignore_errors=True))
            now = self.clock.now()
            for job in self.store.live_jobs():
                if job.phase is not Phase.STARTING and not job.foreign:
                    self._life.end(replace(job, due=None), LOST, now)
            self.store.commit()

    # Time

    @contextmanager
    def transaction(self) -> Iterator[float]:
        """Hold the lock, bring everything up to the present, and commit what the body writes.

        Yields:
            The present.

        Raises:
            ConnectionCut: The engine is closed, and with it its memory.
            ServiceError: Its memory could not be written: the disk is full.
        """
        with self.store.lock:
            if self._closed:
                raise ConnectionCut(written=False)
            try:
                self.tick()
                yield self.clock.now()
                self.tick()
            except sqlite3.Error as error:
                self.store.undo()
                self._take_again()
                raise not_stored(str(error)) from error
            finally:
                self._commit()

    def _commit(self) -> None:
        try:
            if self.store.commit():
                self.changed.set()
        except ServiceError:
            self._take_again()
            raise
        self._taken.clear()

    def _take_again(self) -> None:
        for arrival in self._taken:
            self._arrivals.put(arrival)
        self._taken.clear()

    def tick(self) -> None:
        """Let everything happen whose time has come."""
        with self.store.lock:
            now = self.clock.now()
            self._settle(now)
            while (event := self._next(now)) is not None and event.time <= now:
                self._moment = event.time
                try:
                    event.happen(event.time)
                    self._settle(event.time)
                finally:
                    self._moment = None

    def moment(self) -> float:
        """Return the moment of what is happening, the present when nothing is."""
        return self.clock.now() if self._moment is None else self._moment

    def wait_hint(self) -> float | None:
        """Return in how many real seconds to tick again; None: only when something changes."""
        with self.store.lock:
            event = self._next(self.clock.now())
            hint = self.clock.real_seconds_until(event.time) if event else None
            if not self._watched and self._foretelling is None and self._running():
                return UNWATCHED_INTERVAL if hint is None else min(hint, UNWATCHED_INTERVAL)
            return hint

    def _settle(self, at: float) -> None:
        """Take what workers have finished."""
        while True:
            try:
                arrival = self._arrivals.get_nowait()
            except queue.Empty:
                return
            self._taken.append(arrival)
            arrival(at)

    def _arrive(self, arrival: Arrival) -> None:
        self._arrivals.put(arrival)
        self.changed.set()

    def _next(self, now: float) -> _Event | None:
        """Return what happens next; the end of a job comes before what else happens at the same moment."""
        events = [event for job in self.store.live_jobs() for event in self._of_job(job, now)]
        ending = self.pools.next_end()
        if ending is not None:
            time, pool = ending
            events.append(_Event(time, 2, lambda at: self._pool_event(pool, at)))
        return min(events, key=lambda event: (event.time, event.order), default=None)

    def _of_job(self, job: Job, now: float) -> Iterator[_Event]:
        if job.due is not None:
            yield _Event(job.due, 1, lambda at: self._life.due(job, at))
        if job.phase is not Phase.RUNNING or job.foreign:
            return
        foretold = self._foretelling.ends_at(job.key) if self._foretelling else None
        if foretold is not None and foretold > now:
            self._ending(job)  # nothing ends yet, but a made-up job prints what is due
            yield _Event(foretold, 0, lambda at: self._poll(job, at))
        elif (ending := self._ending(job)) is not None:
            moment = now if foretold is None else foretold
            yield _Event(moment, 0, lambda at: self._exited(job, ending, at))

    def _poll(self, job: Job, at: float) -> None:
        ending = self._ending(job)
        if ending is not None:
            self._exited(job, ending, at)

    def _ending(self, job: Job) -> Ending | Exception | None:
        try:
            return self.runner.poll(job.key)
        except Exception as error:
            logger.exception("the runner lost %s", job.key)
            return error

    def _exited(self, job: Job, ending: Ending | Exception, at: float) -> None:
        if isinstance(ending, Exception):
            self._life.end(job, LOST, at)
        else:
            self._life.exited(job, ending, at)

    def _running(self) -> bool:
        return any(job.phase is Phase.RUNNING for job in self.store.live_jobs())

    # Pools

    def _pool_event(self, pool: Pool, at: float) -> None:
        if pool.doomed is not None and pool.doomed[1] <= at:
            self._strike(pool, pool.doomed[0], at)
        else:
            self.pools.end(pool, why_ended(pool, at), at)

    def _strike(self, pool: Pool, what: str, at: float) -> None:
        if what == "patch_update":
            self.pools.end(pool, "patch update", at)
            return
        owner = self.store.job(pool.place, pool.owner)
        request = owner.request if owner else {}
        name = f"somebody-else-{pool.number}"
        arn = training_job_arn(pool.place, name)
        job = Job(*pool.place, name=name, arn=arn, request=request, created=at, modified=at, foreign=True)
        self.store.insert_job(job)
        job = self.pools.take(pool, job, at)
        job = replace(job, phase=Phase.RUNNING, started=at, due=at + STOLEN_FOR)
        job = job.moved(Secondary.STARTING, "Preparing the instances for training", at)
        self.store.save_job(job.moved(Secondary.TRAINING, "Training in progress", at))

    def strike(self, place: Place, name: str, event: str) -> None:
        """Patch or steal the Available pool of a job.

        Raises:
            ServiceError: It has none.
        """
        with self.transaction() as now:
            job = self.store.job(place, name)
            pool = self.store.pool(job.pool) if job and job.pool is not None else None
            if pool is None or pool.status is not PoolStatus.AVAILABLE or pool.owner != name:
                raise ServiceError("ValidationException", f"{name} has no Available pool.")
            self._strike(pool, event, now)

    def _drop_cache(self, number: int) -> None:
        if (cache := self._workspace.kept_cache(number)) is not None:
            self._workers.submit(lambda: self.runner.drop_cache(cache))

    def idle(self) -> bool:
        """Whether no job runs and no pool is kept."""
        with self.store.lock:
            return not self.store.live_jobs() and not self.store.open_pools()
