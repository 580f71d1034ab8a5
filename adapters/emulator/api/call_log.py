"""Which calls were made, when, and how they ended: what a crash harness checks afterwards."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wpfsm.adapters.emulator.engine.records import Place

KEPT = 100_000


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call; ``outcome`` is ``ok``, an error code, ``cut-before-write`` or ``cut-after-write``."""

    operation: str
    job: str
    time: float
    outcome: str
    account: str
    region: str


class Result:
    """Collects how a call ended."""

    def __init__(self) -> None:
        self.text = "ok"

    def is_(self, text: str) -> None:
        """Say that the call did not end well."""
        self.text = text


class CallLog:
    """The latest calls, oldest first."""

    def __init__(self) -> None:
        self._records: deque[CallRecord] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def record(self, now: Callable[[], float], operation: str, job: str, place: Place) -> Iterator[Result]:
        """Note one call, whatever way its body is left."""
        result, time = Result(), now()
        try:
            yield result
        finally:
            with self._lock:
                self._counts[operation] += 1
                self._records.append(CallRecord(operation, job, time, result.text, *place))

    def count(self, operation: str) -> None:
        """Count a call that somebody else answers, such as S3's."""
        with self._lock:
            self._counts[operation] += 1

    def all(self) -> list[CallRecord]:
        """Return the calls."""
        with self._lock:
            return list(self._records)

    def counts(self) -> dict[str, int]:
        """Return how often each operation was called."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget the calls."""
        with self._lock:
            self._records.clear()
            self._counts.clear()
