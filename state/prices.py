"""Prices that were read before, each with the date of its reading. Shared by every loop of the database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from wpfsm.fsm.records import Price
from wpfsm.state.database import explained
from wpfsm.state.store import transaction


def known_price(connection: sqlite3.Connection, path: Path, region: str, instance_type: str) -> Price | None:
    """The price that was kept last; None when none was."""
    with explained(path):
        row = connection.execute(
            "select usd_per_hour, source, as_of from prices where region = ? and instance_type = ?",
            (region, instance_type),
        ).fetchone()
    return Price(row["usd_per_hour"], row["source"], row["as_of"], region, instance_type) if row else None


def keep_price(connection: sqlite3.Connection, path: Path, price: Price) -> None:
    """Keep a price in the place of the one before."""
    with transaction(connection, path):
        connection.execute(
            "insert or replace into prices (region, instance_type, usd_per_hour, source, as_of)"
            " values (?, ?, ?, ?, ?)",
            (price.region, price.instance_type, price.usd_per_hour, price.source, price.as_of),
        )
