"""Warm pools: who may take one, when one is kept, when it ends.

Sources: developer guide, train-warm-pools and train-warm-pools-resource-limits; the UpdateTrainingJob model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wpfsm.adapters.emulator.engine.errors import ServiceError, invalid
from wpfsm.adapters.emulator.engine.match_key import match_key
from wpfsm.adapters.emulator.engine.quotas import Quotas
from wpfsm.adapters.emulator.engine.records import (
    Job,
    JobEnd,
    Place,
    Pool,
    PoolEvent,
    PoolStatus,
    Secondary,
    Status,
)
from wpfsm.adapters.emulator.engine.settings import MAX_CHAIN_SECONDS, Settings
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.runner.base import NO_IMAGE

HEALTHY_FAILURES = ("AlgorithmError", "ClientError")
"""A job that failed for these reasons leaves its cluster healthy; any other failure does not."""

PROVISIONING_FAILED = "pool_failed"


class Pools:
    """The rules of warm pools over the store. Called under the store's lock.

    Args:
        ended: Called with the number of a pool that has ended, to drop its cache.
    """

    def __init__(
        self, store: Store, settings: Settings, quotas: Quotas, ended: Callable[[int], None]
    ) -> None:
        self._store = store
        self._switches = settings.switches
        self._quotas = quotas
        self._ended = ended

    # Taking

    def find(self, job: Job) -> Pool | None:
        """Return the Available pool that a new job runs on, None when it has to start cold."""
        key = match_key(job.request, job.session_tags, self._switches)
        matching = [
            pool
            for pool in self._store.open_pools()
            if pool.place == job.place
            and pool.status is PoolStatus.AVAILABLE
            and pool.release_polls is None
            and pool.match == key
        ]
        if not matching:
            return None
        matching.sort(key=lambda pool: (pool.available_from, pool.number))
        return matching[0] if self._switches.pool_choice == "oldest" else matching[-1]

    def take(self, pool: Pool, job: Job, at: float) -> Job:
        """Move an Available pool to a new owner; the old owner is Reused for good."""
        old = self._store.job(pool.place, pool.owner)
        if old is not None:
            self._store.save_job(
                replace(_settled(old, at), pool_status=PoolStatus.REUSED, reused_by=job.name, modified=at)
            )
        taken = replace(
            pool, owner=job.name, status=PoolStatus.IN_USE, available_from=None, expires=None, doomed=None
        )
        self._store.save_pool(taken, PoolEvent(at, "reused", job.name))
        return replace(job, pool=pool.number, pool_status=PoolStatus.IN_USE, warm=True, launched=True)

    def launch(self, job: Job, at: float) -> Job:
        """Record the cluster of a job that started cold, if it is meant to be kept."""
        if job.keep_alive == 0:
            return replace(job, launched=True)
        (instance_type, count), *_ = job.instances.items()
        pool = Pool(
            self._store.new_pool_number(),
            *job.place,
            match=match_key(job.request, job.session_tags, self._switches),
            instance_type=instance_type,
            instance_count=count,
            launched=at,
            owner=job.name,
        )
        self._store.save_pool(pool, PoolEvent(at, "launched", job.name))
        shown = PoolStatus.IN_USE if self._switches.first_job_in_use else None
        return replace(job, launched=True, pool=pool.number, pool_status=shown)

    # Keeping

    def leave(self, job: Job, outcome: JobEnd, at: float) -> Job:
        """Decide what becomes of the pool of a job that ends now."""
        pool = self._store.pool(job.pool) if job.pool is not None else None
        if pool is None:
            return replace(job, pool_status=None)
        why_not = self._why_not_kept(job, pool, outcome, at)
        if why_not:
            status = self._status_when_not_kept(job, why_not)
            self._close(pool, why_not, at)
            return replace(
                job, pool_status=status, retained_seconds=0 if status is PoolStatus.TERMINATED else None
            )
        expires = min(at + job.keep_alive, pool.launched + MAX_CHAIN_SECONDS)
        event, after = job.fate.pool_event, job.fate.pool_event_after
        kept = replace(
            pool,
            status=PoolStatus.AVAILABLE,
            available_from=at,
            expires=expires,
            doomed=(event, at + after) if event else None,
        )
        self._store.save_pool(kept, PoolEvent(at, "available", job.name))
        return replace(job, pool_status=PoolStatus.AVAILABLE, retained_from=at)

    def _why_not_kept(self, job: Job, pool: Pool, outcome: JobEnd, at: float) -> str | None:
        """Return the reason for which a pool is not kept, None when it is."""
        if reason := self._unfit_ending(job, outcome):
            return reason
        if job.fate.pool_event == PROVISIONING_FAILED:
            return PROVISIONING_FAILED
        if job.keep_alive == 0:
            return "no keep-alive"
        if at >= pool.launched + MAX_CHAIN_SECONDS:
            return "28 days"
        held = sum(
            other.instance_count
            for other in self._store.open_pools()
            if other.place == pool.place
            and other.instance_type == pool.instance_type
            and other.status is PoolStatus.AVAILABLE
        )
        allowed = self._quotas.value(pool.place, pool.instance_type, "warm_pool")
        return "warm pool quota" if held + pool.instance_count > allowed else None

    def _unfit_ending(self, job: Job, outcome: JobEnd) -> str | None:
        switches = self._switches
        if outcome.status is Status.FAILED:
            reason = outcome.reason or ""
            if not reason.startswith(HEALTHY_FAILURES):
                return "unhealthy"
            contained = any(each.status == Secondary.TRAINING for each in job.transitions)
            if not job.warm and reason.startswith(NO_IMAGE):
                return "no cluster"  # inferred: AWS does not say it
            if not contained and job.warm and not switches.client_error_keeps_pool:
                return "client error before the container"
            return None if switches.failed_leaves_pool else "failed"
        if outcome.secondary is Secondary.MAX_RUNTIME_EXCEEDED and not switches.max_runtime_leaves_pool:
            return "max runtime"
        if outcome.secondary is Secondary.STOPPED and not switches.stopped_leaves_pool:
            return "stopped"
        return None

    def _status_when_not_kept(self, job: Job, why_not: str) -> PoolStatus | None:
        if job.warm or why_not == PROVISIONING_FAILED:
            return PoolStatus.TERMINATED
        if why_not == "warm pool quota" and self._switches.quota_short_status == "Terminated":
            return PoolStatus.TERMINATED
        return None

    # Ending

    def end(self, pool: Pool, why: str, at: float) -> None:
        """End an Available pool."""
        owner = self._store.job(pool.place, pool.owner)
        if owner is not None:
            ended = replace(_settled(owner, at), pool_status=PoolStatus.TERMINATED, modified=at)
            self._store.save_job(ended)
        self._close(pool, why, at)

    def abandon(self, job: Job, why: str, at: float) -> Job:
        """End the pool under a job that goes on or dies without it."""
        pool = self._store.pool(job.pool) if job.pool is not None else None
        if pool is not None:
            self._close(pool, why, at)
        return replace(job, pool=None, pool_status=None)

    def _close(self, pool: Pool, why: str, at: float) -> None:
        ended = replace(pool, status=PoolStatus.TERMINATED)
        self._store.save_pool(ended, PoolEvent(at, why, pool.owner))
        self._ended(pool.number)

    def next_end(self) -> tuple[float, Pool] | None:
        """Return the pool that something happens to next, and when."""
        times = [(_next_event(pool), pool) for pool in self._store.open_pools()]
        due = [(time, pool) for time, pool in times if time is not None]
        return min(due, key=lambda each: (each[0], each[1].number), default=None)

    # Updating

    def update(self, job: Job, seconds: int, at: float) -> Job:
        """Set the keep-alive of the pool that a finished job owns; 0 releases it.

        Raises:
            ServiceError: The job has no Available pool.
        """
        pool = self._store.pool(job.pool) if job.pool is not None else None
        if job.pool_status is not PoolStatus.AVAILABLE or pool is None or pool.owner != job.name:
            raise ServiceError(
                self._switches.update_unavailable_error,
                "KeepAlivePeriodInSeconds can only be updated when the training job is complete and its warm"
                f" pool is Available. The training job is {job.status} and its warm pool is"
                f" {job.pool_status or 'absent'}.",
            )
        if pool.release_polls is not None and seconds > 0:
            raise invalid("The warm pool of the training job is being released.")
        shown = seconds if self._switches.describe_shows_updated_keep_alive else job.shown_keep_alive
        job = replace(job, keep_alive=seconds, shown_keep_alive=shown, modified=at)
        self._store.save_job(job)
        if seconds == 0:
            self._release(pool, at)
        else:
            since = pool.available_from if self._switches.keep_alive_counts_from == "pool_start" else at
            expires = min((since or at) + seconds, pool.launched + MAX_CHAIN_SECONDS)
            changed = replace(pool, expires=max(expires, at))
            self._store.save_pool(changed, PoolEvent(at, f"keep-alive {seconds}", job.name))
        return self._store.job(job.place, job.name) or job

    def _release(self, pool: Pool, at: float) -> None:
        if pool.release_polls is not None:
            return
        until = at + self._switches.release_seconds
        pool = replace(pool, release_polls=self._switches.release_polls, expires=until)
        self._store.save_pool(pool, PoolEvent(at, "release requested", pool.owner))
        if pool.release_polls == 0:
            self.end(pool, "released", at)

    def seen(self, job: Job, at: float) -> Job:
        """Count a Describe of a job whose pool is being released, which a few of them do not see yet."""
        pool = self._store.pool(job.pool) if job.pool is not None else None
        if pool is None or pool.owner != job.name or pool.release_polls is None:
            return job
        if pool.release_polls == 0:
            self.end(pool, "released", at)
        else:
            self._store.save_pool(replace(pool, release_polls=pool.release_polls - 1))
        return self._store.job(job.place, job.name) or job

    def idle_instances(self, place: Place, instance_type: str) -> int:
        """Return the instances of one type in Available pools, which count against the training quota."""
        return sum(
            pool.instance_count
            for pool in self._store.open_pools()
            if pool.place == place
            and pool.instance_type == instance_type
            and pool.status is PoolStatus.AVAILABLE
        )


def why_ended(pool: Pool, at: float) -> str:
    """Return the reason for which an Available pool's time is up at ``at``."""
    if pool.release_polls is not None:
        return "released"
    return "28 days" if at >= pool.launched + MAX_CHAIN_SECONDS else "expired"


def _next_event(pool: Pool) -> float | None:
    if pool.status is not PoolStatus.AVAILABLE:
        return None
    times = [time for time in (pool.expires, pool.doomed and pool.doomed[1]) if time is not None]
    return min(times, default=None)


def _settled(owner: Job, at: float) -> Job:
    """Return the owner with its retained time made final."""
    since = owner.retained_from if owner.retained_from is not None else at
    return replace(owner, retained_seconds=max(0, round(at - since)))
