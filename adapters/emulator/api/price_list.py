"""Price List GetProducts for SageMaker training, for the instance types whose price is known.

USD an hour on demand, from public captures of the Price List between 2024 and 2026. They are an emulator's
prices: read the real list before relying on one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from wpfsm.adapters.emulator.api.operations import Api, Call
from wpfsm.adapters.emulator.api.wire import page_position
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.engine.settings import Switches
from wpfsm.adapters.emulator.runner.base import JSONValue

SERVICE = "AmazonSageMaker"
AMERICA = {
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.g5.4xlarge": 2.03,
    "ml.g5.8xlarge": 3.06,
    "ml.g5.12xlarge": 7.09,
    "ml.g5.16xlarge": 5.12,
    "ml.g5.24xlarge": 10.18,
    "ml.g5.48xlarge": 20.36,
    "ml.g6.xlarge": 1.127,
    "ml.g6.2xlarge": 1.222,
    "ml.g6.4xlarge": 1.654,
    "ml.g6.8xlarge": 2.518,
    "ml.g6.12xlarge": 5.752,
    "ml.g6.24xlarge": 8.344,
    "ml.g6.48xlarge": 16.688,
    "ml.g6e.xlarge": 2.61,
    "ml.g6e.2xlarge": 2.8026,
    "ml.g6e.4xlarge": 3.76,
    "ml.g6e.8xlarge": 5.66,
    "ml.g6e.12xlarge": 13.12,
    "ml.g6e.24xlarge": 18.83,
    "ml.g6e.48xlarge": 37.66,
    "ml.g7e.2xlarge": 4.2039,
    "ml.g7e.4xlarge": 4.9977,
    "ml.g7e.12xlarge": 10.3576,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c7i.4xlarge": 0.714,
    "ml.g4dn.xlarge": 0.736,
    "ml.p3.2xlarge": 3.825,
}
IRELAND = {
    "ml.m7i.large": 0.14,
    "ml.g5.xlarge": 1.57,
    "ml.g5.2xlarge": 1.69,
    "ml.g5.12xlarge": 7.91,
    "ml.g5.48xlarge": 22.73,
    "ml.p4d.24xlarge": 27.28,
    "ml.p3.2xlarge": 4.14,
    "ml.g4dn.xlarge": 0.83,
}
REGIONS: dict[str, tuple[str, Mapping[str, float]]] = {
    "us-east-1": ("USE1", AMERICA),
    "us-west-2": ("USW2", AMERICA),
    "eu-west-1": ("EU", IRELAND),
}
PAGE = 100


class PriceApi(Api):
    """Answers Price List operations."""

    def __init__(self, switches: Switches) -> None:
        super().__init__({"GetProducts": self._get_products})
        self._switches = switches

    def _get_products(self, call: Call, _: float) -> Request:
        if call.request.get("ServiceCode") != SERVICE:
            return {"FormatVersion": "aws_v1", "PriceList": []}
        filters = cast("list[dict[str, str]]", call.request.get("Filters", []))
        products = [p for p in self._products() if all(_passes(p.attributes, each) for each in filters)]
        start, size = _token(call), cast("int", call.request.get("MaxResults", PAGE))
        shown: list[JSONValue] = [p.document() for p in products[start : start + size]]
        answer: Request = {"FormatVersion": "aws_v1", "PriceList": shown}
        if start + size < len(products):
            answer["NextToken"] = str(start + size)
        return answer

    def _products(self) -> list[_Product]:
        extra = {"ml.p4d.24xlarge": self._switches.p4d_price, "ml.p5.48xlarge": self._switches.p5_price}
        products = []
        for region, (prefix, prices) in REGIONS.items():
            known = dict(prices) | {t: p for t, p in extra.items() if p is not None}
            products += [_Product(region, prefix, name, usd) for name, usd in sorted(known.items())]
        return products


class _Product:
    def __init__(self, region: str, prefix: str, instance_type: str, usd: float) -> None:
        self._usd = usd
        self._sku = f"{prefix}-{instance_type}".upper().replace(".", "")
        self.attributes = {
            "servicecode": SERVICE,
            "servicename": "Amazon SageMaker",
            "regionCode": region,
            "locationType": "AWS Region",
            "instanceName": instance_type,
            "instanceType": f"{instance_type}-Training",
            "component": "Training",
            "usagetype": f"{prefix}-Train:{instance_type}",
            "operation": "RunInstance",
        }

    def document(self) -> str:
        """Return one item of PriceList, which is JSON in a string."""
        unit = {"unit": "Hrs", "currency": "USD", "pricePerUnit": {"USD": f"{self._usd:.10f}"}}
        dimension = {f"{self._sku}.JRTCKXETXF.6YS6EN2CT7": unit}
        offer = {f"{self._sku}.JRTCKXETXF": {"sku": self._sku, "priceDimensions": dimension}}
        product = {"productFamily": "ML Instance", "attributes": self.attributes, "sku": self._sku}
        return json.dumps({"product": product, "serviceCode": SERVICE, "terms": {"OnDemand": offer}})


def _passes(attributes: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Apply one filter; field names are not case-sensitive."""
    folded = {name.lower(): value for name, value in attributes.items()}
    present = folded.get(wanted["Field"].lower(), "")
    match wanted["Type"]:
        case "TERM_MATCH" | "EQUALS":
            return present == wanted["Value"]
        case "CONTAINS":
            return wanted["Value"] in present
        case "ANY_OF":
            return present in wanted["Value"].split(",")
        case _:
            return present not in wanted["Value"].split(",")


def _token(call: Call) -> int:
    position = page_position(str(call.request.get("NextToken", "0")))
    if position is None:
        raise ServiceError(
            "InvalidNextTokenException", "The pagination token is invalid. Try again without it."
        )
    return position
