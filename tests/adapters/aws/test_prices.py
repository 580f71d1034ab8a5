"""Training prices: the Price List API, and a dated table beneath it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from aws_wire import Error, Wire
from botocore.exceptions import EndpointConnectionError

from wpfsm.adapters.aws.prices import Capture, PriceList, PriceTable, built_in_table, endpoint_region
from wpfsm.fsm.records import Price

G5 = "ml.g5.2xlarge"
TABLE = PriceTable(
    (
        Capture("2026", ("us-east-1", "us-west-2"), {G5: 9.0, "ml.m5.large": 0.115}),
        Capture("2026-08-20", ("us-east-1",), {G5: 1.6}),
    )
)


def product(usagetype: str, usd: str = "1.515", *, unit: str = "Hrs", **attributes: str) -> str:
    """One entry of PriceList, a JSON string as the service sends it."""
    dimension = {"unit": unit, "pricePerUnit": {"USD": usd}, "beginRange": "0", "endRange": "Inf"}
    return json.dumps(
        {
            "product": {
                "productFamily": "ML Instance",
                "attributes": {"usagetype": usagetype, "component": "Training", **attributes},
                "sku": "ABC",
            },
            "serviceCode": "AmazonSageMaker",
            "terms": {
                "OnDemand": {"ABC.JRTCKXETXF": {"priceDimensions": {"ABC.JRTCKXETXF.6YS6EN2CT7": dimension}}}
            },
            "publicationDate": "2026-08-20T00:00:00Z",
        }
    )


def reader(*pages: list[str], table: PriceTable = TABLE) -> tuple[PriceList, Wire]:
    """A reader of a price list of these pages."""

    def answer(operation: str, body: Mapping[str, Any]) -> object:
        assert operation == "GetProducts"
        number = int(body.get("NextToken", "0"))
        more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
        return {"FormatVersion": "aws_v1", "PriceList": pages[number] if pages else [], **more}

    wire = Wire(answer)
    return PriceList(wire.client("pricing"), table, today=lambda: date(2026, 9, 1)), wire


@pytest.mark.parametrize("usagetype", [f"USE1-Train:{G5}", f"Train:{G5}"])
def test_price_list_wins_and_is_dated(usagetype: str) -> None:
    """The price list's own answer wins over the table and carries the day on which it was read."""
    prices, _ = reader([product(usagetype)])

    assert prices.price("us-east-1", G5) == Price(1.515, "price list", "2026-09-01", "us-east-1", G5)


def test_request_filters_on_the_server() -> None:
    """Region, type and component are filtered by the service, a hundred products a page."""
    prices, wire = reader([product(f"USE1-Train:{G5}")])

    prices.price("us-east-1", G5)

    [(_, body)] = wire.calls
    assert body["ServiceCode"] == "AmazonSageMaker"
    assert body["MaxResults"] == 100
    assert {(f["Type"], f["Field"], f["Value"]) for f in body["Filters"]} == {
        ("TERM_MATCH", "regionCode", "us-east-1"),
        ("TERM_MATCH", "instanceName", G5),
        ("TERM_MATCH", "component", "Training"),
    }


def test_only_training_on_demand_counts() -> None:
    """Notebooks, hosting, spot, debugger and other types are passed over, and every page is read."""
    others = [
        product(f"USE1-Host:{G5}", "9.1"),
        product(f"USE1-Notebk:{G5}", "9.2"),
        product(f"USE1-SpotTrain:{G5}", "9.3"),
        product(f"USE1-TrainDebugFreeTier:{G5}", "0.0"),
        product("USE1-Train:ml.g5.xlarge", "9.4"),
        product(f"USE1-Train:{G5}", "9.5", unit="GB-Mo"),
        product(f"USE1-Train:{G5}", "0.0000000000"),
    ]
    prices, wire = reader(others, [], [product(f"USE1-Train:{G5}", "1.515")])

    price = prices.price("us-east-1", G5)

    assert price is not None
    assert price.usd_per_hour == 1.515
    assert len(wire.calls) == 3


def test_same_price_twice_is_one_price() -> None:
    """Two products of one price are no contradiction."""
    prices, _ = reader([product(f"USE1-Train:{G5}"), product(f"Train:{G5}", "1.5150000000")])

    price = prices.price("us-east-1", G5)

    assert price is not None
    assert price.source == "price list"


def test_contradicting_prices_are_no_answer() -> None:
    """Where the list has several prices none is picked: the table answers, and says that it is the table."""
    prices, _ = reader([product(f"USE1-Train:{G5}"), product(f"Train:{G5}", "3.0")])

    assert prices.price("us-east-1", G5) == Price(1.6, "built-in table", "2026-08-20", "us-east-1", G5)


@pytest.mark.parametrize("item", ["not json", "[]", '{"product": {"attributes": {"usagetype": 7}}}', "{}"])
def test_item_of_another_shape_is_no_answer(item: str) -> None:
    """An entry that is not as documented never raises, and never becomes a price."""
    prices, _ = reader([item])

    price = prices.price("us-east-1", G5)

    assert price is not None
    assert price.source == "built-in table"


def test_unknown_everywhere_is_none() -> None:
    """A type that neither list nor table knows has no price, and no 0."""
    prices, _ = reader([])

    assert prices.price("us-east-1", "ml.p5.48xlarge") is None


def test_table_never_answers_for_another_region() -> None:
    """The table speaks only for the regions that it was captured in."""
    prices, _ = reader([])

    assert prices.price("eu-north-1", G5) is None
    assert prices.price("us-west-2", G5) == Price(9.0, "built-in table", "2026", "us-west-2", G5)


@pytest.mark.parametrize(
    "error",
    [
        Error("AccessDeniedException"),
        Error("ThrottlingException"),
        Error("InternalErrorException", status=500),
    ],
)
def test_refused_price_list_falls_back_to_the_table(error: Error) -> None:
    """A price list that may not or cannot be read fails no loop: the table answers under its own name."""
    prices = PriceList(Wire(lambda *_: error).client("pricing"), TABLE)

    price = prices.price("us-east-1", G5)

    assert price is not None
    assert price.source == "built-in table"


def test_unreachable_price_list_falls_back_to_the_table() -> None:
    """Without a network the table answers."""

    def unreachable(*_: object) -> object:
        raise EndpointConnectionError(endpoint_url="https://api.pricing.us-east-1.amazonaws.com")

    price = PriceList(Wire(unreachable).client("pricing"), TABLE).price("us-east-1", "ml.m5.large")

    assert price == Price(0.115, "built-in table", "2026", "us-east-1", "ml.m5.large")


def test_without_a_client_the_table_alone_answers() -> None:
    """An offline plan asks nothing of the network."""
    assert PriceList(None, TABLE).price("us-east-1", G5) is not None


def test_built_in_table_is_dated_and_positive() -> None:
    """Every row that ships has a date, a region, a known spelling of its type, and a price above 0."""
    table = built_in_table()

    assert table.captures
    for capture in table.captures:
        assert capture.as_of[:2] == "20"
        assert capture.regions
        assert all(name.startswith("ml.") and usd > 0 for name, usd in capture.usd_per_hour.items())


def test_built_in_table_says_where_it_is_from() -> None:
    """The table is second-hand, and a price from it carries its own date rather than today's."""
    price = PriceList(None).price("eu-west-1", "ml.g5.xlarge")

    assert price == Price(1.57, "built-in table", "2024-01", "eu-west-1", "ml.g5.xlarge")


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("us-east-1", "us-east-1"),
        ("us-west-2", "us-east-1"),
        ("eu-west-1", "eu-central-1"),
        ("ap-northeast-1", "ap-south-1"),
        ("sa-east-1", "us-east-1"),
    ],
)
def test_endpoint_region(region: str, endpoint: str) -> None:
    """The price list is served in three regions; the nearest is asked."""
    assert endpoint_region(region) == endpoint
