"""Who does the blocking work of a job: its download and its upload."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol


class Workers(Protocol):
    """Runs work that may block."""

    def submit(self, work: Callable[[], None]) -> None:
        """Run ``work``, which raises nothing, now or soon."""

    def close(self) -> None:
        """Take no more work."""


class Inline:
    """Does the work at once, in the caller: exact and repeatable."""

    def submit(self, work: Callable[[], None]) -> None:
        """See Workers."""
        work()

    def close(self) -> None:
        """See Workers."""


class Threads:
    """Does the work in a few threads, so that requests are answered meanwhile."""

    def __init__(self, count: int = 8) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="job-work")

    def submit(self, work: Callable[[], None]) -> None:
        """See Workers."""
        self._pool.submit(work)

    def close(self) -> None:
        """See Workers."""
        self._pool.shutdown(wait=False, cancel_futures=True)
