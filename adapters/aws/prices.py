"""The AWS Price List API behind the ``Prices`` port, with a dated table beneath it.

Price List query API: endpoints in three regions only; each entry of ``PriceList`` is a JSON string. Which
products are training on demand is told by the usage type (``USE1-Train:ml.g5.2xlarge``; no prefix in some
regions), which leaves out notebooks, hosting and spot. No usage type of an idle warm pool is known; it is
taken to cost what training costs. The filters are those that public users of the API report to work.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.aws.errors import translated
from wpfsm.fsm.errors import ServiceError
from wpfsm.fsm.records import Price
from wpfsm.fsm.records.price import PriceSource

if TYPE_CHECKING:
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_pricing.type_defs import FilterTypeDef

_TABLE = Path(__file__).with_name("price_table.json")
_HOURS = frozenset({"hrs", "hours", "hour"})

log = logging.getLogger(__name__)


def endpoint_region(region: str) -> str:
    """The region whose Price List endpoint is nearest; any of the three answers for every region.

    Args:
        region: where the training runs.
    """
    return {"eu": "eu-central-1", "ap": "ap-south-1"}.get(region.partition("-")[0], "us-east-1")


@dataclass(frozen=True)
class Capture:
    """Prices that were read together.

    Attributes:
        as_of: the date, month or year of the reading, ISO 8601.
        regions: the regions that they hold for.
        usd_per_hour: US dollars per instance and hour by instance type.
    """

    as_of: str
    regions: tuple[str, ...]
    usd_per_hour: dict[str, float]


@dataclass(frozen=True)
class PriceTable:
    """Dated prices for when the Price List API has no answer.

    Attributes:
        captures: in any order; the newest that knows a type in a region speaks for it.
    """

    captures: tuple[Capture, ...]

    def price(self, region: str, instance_type: str) -> Price | None:
        """The price in a region for which the table was captured; None otherwise, never a neighbour's."""
        known = [c for c in self.captures if region in c.regions and instance_type in c.usd_per_hour]
        if not known:
            return None
        newest = max(known, key=lambda capture: capture.as_of)
        return _price(
            newest.usd_per_hour[instance_type], "built-in table", newest.as_of, region, instance_type
        )


@cache
def built_in_table() -> PriceTable:
    """The table that ships with the package: second-hand, dated, incomplete."""
    content = json.loads(_TABLE.read_text(encoding="utf-8"))
    return PriceTable(
        tuple(Capture(c["as_of"], tuple(c["regions"]), c["usd_per_hour"]) for c in content["captures"])
    )


class PriceList:
    """Reads training prices; the caller keeps what it read.

    Args:
        client: a boto3 client of ``pricing`` in ``endpoint_region(...)``; None to use the table alone.
        table: what answers when the API does not; the built-in one by default.
        today: the date that a price read now carries.
    """

    def __init__(
        self,
        client: PricingClient | None,
        table: PriceTable | None = None,
        *,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._client = client
        self._table = table
        self._today = today

    def price(self, region: str, instance_type: str) -> Price | None:
        """The on-demand training price of one instance; None when neither API nor table knows it.

        Not being allowed or able to ask the API is no reason to fail a loop: the table answers, and the
        price says so in ``source``.

        Args:
            region: where the training runs.
            instance_type: such as ``ml.g5.2xlarge``.
        """
        listed = self._listed(region, instance_type)
        if listed is not None:
            return _price(listed, "price list", self._today().isoformat(), region, instance_type)
        table = built_in_table() if self._table is None else self._table
        return table.price(region, instance_type)

    def _listed(self, region: str, instance_type: str) -> float | None:
        """What the API says; None when it has no answer, or more than one."""
        if self._client is None:
            return None
        try:
            with translated("GetProducts"):
                found = {
                    usd
                    for item in _items(self._client, region, instance_type)
                    for usd in _training_prices(item, instance_type)
                }
        except (ServiceError, ValueError) as error:  # ValueError: an item that is not the JSON we know
            log.info("the price list could not be read: %s", error)
            return None
        if len(found) > 1:
            log.info(
                "the price list has several prices for %s in %s: %s", instance_type, region, sorted(found)
            )
        return found.pop() if len(found) == 1 else None


def _items(client: PricingClient, region: str, instance_type: str) -> Iterator[dict[str, object]]:
    filters: Sequence[FilterTypeDef] = [
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": region},
        {"Type": "TERM_MATCH", "Field": "instanceName", "Value": instance_type},
        {"Type": "TERM_MATCH", "Field": "component", "Value": "Training"},
    ]
    pages = client.get_paginator("get_products").paginate(
        ServiceCode="AmazonSageMaker", Filters=filters, PaginationConfig={"PageSize": 100}
    )
    for page in pages:
        yield from map(json.loads, page.get("PriceList", []))


def _training_prices(item: dict[str, object], instance_type: str) -> Iterator[float]:
    """The hourly prices of an item of the list; none if it is not on-demand training on this type."""
    usage = _text(_member(item, "product", "attributes"), "usagetype")
    if usage != f"Train:{instance_type}" and not usage.endswith(f"-Train:{instance_type}"):
        return
    for term in _values(_member(item, "terms", "OnDemand")):
        for dimension in _values(_member(term, "priceDimensions")):
            usd = _text(_member(dimension, "pricePerUnit"), "USD")
            if _text(dimension, "unit").lower() in _HOURS and usd and float(usd) > 0:
                yield float(usd)


def _price(usd: float, source: PriceSource, as_of: str, region: str, instance_type: str) -> Price:
    return Price(usd_per_hour=usd, source=source, as_of=as_of, region=region, instance_type=instance_type)


def _member(value: object, *path: str) -> object:
    """A nested member of JSON that is not ours; an empty object where it is absent."""
    for key in path:
        value = value.get(key, {}) if isinstance(value, dict) else {}
    return value


def _values(value: object) -> Sequence[object]:
    return list(value.values()) if isinstance(value, dict) else []


def _text(value: object, key: str) -> str:
    found = value.get(key, "") if isinstance(value, dict) else ""
    return found if isinstance(found, str) else ""
