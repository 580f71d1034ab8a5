"""Price List: prices that are known, as the API has them, and none that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator_stage import Stage


def products(stage: Stage, *filters: tuple[str, str], kind: str = "TERM_MATCH", **more: Any) -> list[Any]:
    """Return the products that pass the filters, through the paginator."""
    pages = (
        stage.client("pricing")
        .get_paginator("get_products")
        .paginate(
            ServiceCode="AmazonSageMaker",
            Filters=[{"Type": kind, "Field": field, "Value": value} for field, value in filters],
            **more,
        )
    )
    return [json.loads(item) for page in pages for item in page["PriceList"]]


def test_a_price_is_found_as_the_price_list_has_it(stage: Stage) -> None:
    """Region, instance name and component lead to one product with its price in USD an hour."""
    (found,) = products(
        stage, ("regionCode", "us-east-1"), ("instanceName", "ml.g5.2xlarge"), ("component", "Training")
    )
    assert found["product"]["attributes"]["usagetype"] == "USE1-Train:ml.g5.2xlarge"
    (offer,) = found["terms"]["OnDemand"].values()
    (dimension,) = offer["priceDimensions"].values()
    assert (float(dimension["pricePerUnit"]["USD"]), dimension["unit"]) == (1.515, "Hrs")


def test_prices_that_are_not_known_are_not_made_up(stage: Stage) -> None:
    """A type, region or service without a known price gives an empty list."""
    assert products(stage, ("instanceName", "ml.p6-b300.48xlarge")) == []
    assert products(stage, ("regionCode", "ap-south-2")) == []
    assert stage.client("pricing").get_products(ServiceCode="AmazonEC2")["PriceList"] == []


@pytest.mark.parametrize(
    ("kind", "value", "count"),
    [("CONTAINS", "g5.", 20), ("ANY_OF", "ml.m5.large,ml.m5.xlarge", 4), ("EQUALS", "ml.m5.large", 2)],
)
def test_filters(stage: Stage, kind: str, value: str, count: int) -> None:
    """The filter types of the API work, and pages make the whole."""
    assert len(products(stage, ("instanceName", value), kind=kind)) == count
    assert len(products(stage, ("instanceName", value), kind=kind, MaxResults=1)) == count
    everything = products(stage)
    assert len(products(stage, ("instanceName", value), kind="NONE_OF")) == len(everything) - len(
        products(stage, ("instanceName", value), kind="ANY_OF")
    )
