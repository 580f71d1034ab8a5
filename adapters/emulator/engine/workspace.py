"""The directories of jobs and pools, and a job as a runner sees it."""

from __future__ import annotations

import shutil
from pathlib import Path

from wpfsm.adapters.emulator.engine.records import Job
from wpfsm.adapters.emulator.engine.settings import Switches
from wpfsm.adapters.emulator.runner.base import Launch


class Workspace:
    """Where jobs run and pools keep their caches.

    Args:
        root: None makes no directory, which suits made-up jobs: they are told of places that do not exist.
        switches: Settle whether a job without a pool has a cache.
    """

    def __init__(self, root: Path | None, switches: Switches) -> None:
        self._root = root
        self._home = root or Path("nowhere")
        self._switches = switches

    def launch(self, job: Job) -> Launch:
        """Return the job as a runner sees it."""
        cache = self._cache(job.pool) if job.pool is not None else None
        if cache is None and self._switches.cache_without_keep_alive:
            cache = self._of(job) / "cache"
        (instance_type, *_), count = list(job.instances), sum(job.instances.values())
        return Launch(
            key=job.key,
            account=job.account,
            region=job.region,
            name=job.name,
            arn=job.arn,
            request=job.request,
            instance_type=instance_type,
            instance_count=count,
            workdir=self._of(job) / str(job.attempt),
            cache=cache,
        )

    def make(self, launch: Launch) -> None:
        """Make a job's directories."""
        if self._root is not None:
            launch.workdir.mkdir(parents=True, exist_ok=True)
            if launch.cache is not None:
                launch.cache.mkdir(parents=True, exist_ok=True)

    def forget(self, job: Job) -> None:
        """Remove what a deleted job left."""
        if self._root is not None:
            shutil.rmtree(self._of(job), ignore_errors=True)

    def kept_cache(self, pool: int) -> Path | None:
        """Return a pool's cache directory, None when there is none to drop."""
        cache = self._cache(pool)
        return cache if self._root is not None and cache.exists() else None

    def _of(self, job: Job) -> Path:
        return self._home / "jobs" / job.account / job.region / job.name

    def _cache(self, pool: int) -> Path:
        return self._home / "caches" / str(pool)
