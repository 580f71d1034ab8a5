"""Prices that were read are kept in the database, each with its date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from wpfsm.adapters.host.price_cache import FRESH_DAYS, PriceCache
from wpfsm.fsm.records import Price
from wpfsm.fsm.records.price import PriceSource
from wpfsm.state.database import create_or_open
from wpfsm.state.prices import keep_price, known_price

TODAY = date(2026, 11, 20)
WHERE = ("us-east-1", "ml.g5.xlarge")


def price(usd: float, source: PriceSource = "price list", as_of: str = TODAY.isoformat()) -> Price:
    return Price(usd, source, as_of, *WHERE)


class Listed:
    """Implements :class:`wpfsm.fsm.ports.Prices`; counts how often it is asked."""

    def __init__(self, answer: Price | None) -> None:
        self.answer = answer
        self.asked = 0

    def price(self, region: str, instance_type: str) -> Price | None:
        """See the port."""
        self.asked += 1
        return self.answer if (region, instance_type) == WHERE else None


class Shop:
    """A database, and what is asked through it on a day."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = create_or_open(path)

    def ask(self, source: Listed, day: date = TODAY) -> Price | None:
        return PriceCache(source, self.connection, self.path, today=lambda: day).price(*WHERE)

    def kept(self) -> Price | None:
        return known_price(self.connection, self.path, *WHERE)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "wpfsm.db")
    yield made
    made.connection.close()


def test_listed_price_is_kept_with_its_date(shop: Shop) -> None:
    """Asked once, then answered from the database, for every loop and process that uses it."""
    source = Listed(price(1.4))
    assert shop.ask(source) == shop.ask(source) == price(1.4)
    assert source.asked == 1
    assert shop.kept() == price(1.4)


def test_kept_price_grows_old(shop: Shop) -> None:
    """After some days the list is asked again, and the new price takes the place of the old."""
    shop.ask(Listed(price(1.4)))
    later = TODAY + timedelta(days=FRESH_DAYS)
    assert shop.ask(Listed(price(9.9)), later - timedelta(days=1)) == price(1.4)
    fresh = price(1.5, as_of=later.isoformat())
    assert shop.ask(Listed(fresh), later) == fresh
    assert shop.kept() == fresh


@pytest.mark.parametrize(
    "answer", [None, price(0.9, "built-in table", "2026-01")], ids=["nothing", "older table"]
)
def test_old_price_stands_while_the_list_is_silent(shop: Shop, answer: Price | None) -> None:
    """A dated price of last month is better than none, and than an older one."""
    shop.ask(Listed(price(1.4)))
    assert shop.ask(Listed(answer), TODAY + timedelta(days=30)) == price(1.4)


def test_table_is_not_kept(shop: Shop) -> None:
    """What ships with the package is no reading: the list is asked again next time."""
    table = price(0.9, "built-in table", "2026-01")
    assert shop.ask(Listed(table)) == table
    assert shop.kept() is None


def test_newer_table_beats_an_old_reading(shop: Shop) -> None:
    """An upgrade may bring younger figures than a reading of last year."""
    keep_price(shop.connection, shop.path, price(1.4, as_of="2025-01-01"))
    table = price(0.9, "built-in table", "2026-08")
    assert shop.ask(Listed(table)) == table


def test_unknown_stays_unknown(shop: Shop) -> None:
    """Nobody knows it: None, and nothing is kept."""
    assert shop.ask(Listed(None)) is None
    assert shop.kept() is None
