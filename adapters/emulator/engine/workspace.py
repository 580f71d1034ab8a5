"""The directories of jobs and pools, and a job as a runner sees it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection
from pathlib import Path

from wpfsm.adapters.emulator.engine.records import Job
from wpfsm.adapters.emulator.engine.settings import Switches
from wpfsm.adapters.emulator.runner.base import Launch

JOBS, CACHES, LEFT_OVER = "jobs", "caches", "left-over-"


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
        """Remove what an ended job left."""
        if self._root is not None:
            shutil.rmtree(self._of(job), ignore_errors=True)

    def set_aside_leftovers(self, pools: Collection[int]) -> list[Path]:
        """Return what an emulator that was killed left, out of the way of jobs to come; the caller removes it.

        No job has a directory at this moment: those that ran have lost their processes.

        Args:
            pools: Whose caches are not left over.
        """
        if self._root is None:
            return []
        home, aside = self._home / JOBS, self._home / f"{LEFT_OVER}{uuid.uuid4().hex}"
        if home.is_dir():
            home.rename(aside)
        kept = {self._cache(number) for number in pools}
        return [*self._home.glob(f"{LEFT_OVER}*"), *(set((self._home / CACHES).glob("*")) - kept)]

    def kept_cache(self, pool: int) -> Path | None:
        """Return a pool's cache directory, None when there is none to drop."""
        cache = self._cache(pool)
        return cache if self._root is not None and cache.exists() else None

    def _of(self, job: Job) -> Path:
        return self._home / JOBS / job.account / job.region / job.name

    def _cache(self, pool: int) -> Path:
        return self._home / CACHES / str(pool)
