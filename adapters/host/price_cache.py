"""Prices behind the ``Prices`` port, remembered with their date, so that most loops need not ask."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from wpfsm.fsm.ports import Prices
from wpfsm.fsm.records import Price
from wpfsm.state.prices import keep_price, known_price

FRESH_DAYS = 7
"""A price of the price list is not asked for again before this. On-demand prices change a few times a year."""


class PriceCache:
    """Implements :class:`wpfsm.fsm.ports.Prices` with the database's table of prices before another source.

    Only what the price list said is kept: the table that ships with the package is always at hand. Where the
    list has no answer, the newer of a kept price and the other source's stands, with its own date.

    Args:
        source: What knows prices.
        connection: A connection that may write.
        path: The database, for messages.
        today: The present date.
    """

    def __init__(
        self,
        source: Prices,
        connection: sqlite3.Connection,
        path: Path,
        *,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._source = source
        self._connection = connection
        self._path = path
        self._today = today

    def price(self, region: str, instance_type: str) -> Price | None:
        """A price that is kept and fresh, else the source's; None when nobody knows one."""
        kept = known_price(self._connection, self._path, region, instance_type)
        if kept and (self._today() - date.fromisoformat(kept.as_of)).days < FRESH_DAYS:
            return kept
        found = self._source.price(region, instance_type)
        if found and found.source == "price list":
            keep_price(self._connection, self._path, found)
            return found
        if kept and (found is None or kept.as_of > found.as_of):
            return kept
        return found
