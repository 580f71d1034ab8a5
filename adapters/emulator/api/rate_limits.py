"""Request rates of an account and region, as token buckets on real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.records import Place
from wpfsm.adapters.emulator.engine.settings import Switches

BURST_SECONDS = 2.0
"""A bucket holds what this many seconds refill; how much the service allows at once is not known."""


class Rates:
    """Throttles what is called too often, when the switch ``enforce_rates`` is on."""

    def __init__(self, switches: Switches, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rates = {
            "DescribeTrainingJob": switches.describe_rate,
            "CreateTrainingJob": switches.create_rate,
            "ListTrainingJobs": switches.list_rate,
        }
        self._on = switches.enforce_rates
        self._monotonic = monotonic
        self._buckets: dict[tuple[str, Place], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def check(self, operation: str, place: Place) -> None:
        """Take one token.

        Raises:
            ServiceError: ThrottlingException, there is none.
        """
        rate = self._rates.get(operation)
        if not self._on or rate is None:
            return
        most = max(1.0, rate * BURST_SECONDS)
        with self._lock:
            now = self._monotonic()
            tokens, since = self._buckets.get((operation, place), (most, now))
            tokens = min(most, tokens + (now - since) * rate)
            self._buckets[operation, place] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise ServiceError("ThrottlingException", "Rate exceeded")
