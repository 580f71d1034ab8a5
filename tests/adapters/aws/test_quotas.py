"""Quotas are found by exact name, in as few calls as the listing allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aws_wire import Error, Wire
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.aws.quotas import ServiceQuotas
from wpfsm.fsm.errors import Rejected, ServiceDenied, Unknown
from wpfsm.fsm.ports import QuotaReading

G5 = "ml.g5.xlarge"
TRAINING, WARM_POOL = f"{G5} for training job usage", f"{G5} for training warm pool usage"


def quota(name: str, value: float | None, code: str = "L-1") -> dict[str, Any]:
    row = {"ServiceCode": "sagemaker", "QuotaCode": code, "QuotaName": name}
    return row | (
        {"ErrorReason": {"ErrorCode": "DEPENDENCY_ACCESS_DENIED_ERROR"}}
        if value is None
        else {"Value": value}
    )


class Account:
    """Service Quotas of one account: applied values, and the service's defaults."""

    def __init__(self, applied: list[dict[str, Any]], default: list[dict[str, Any]]) -> None:
        self.listings = {"ListServiceQuotas": applied, "ListAWSDefaultServiceQuotas": default}
        self.failing: list[Error] = []
        self.wire = Wire(self.answer)
        self.reader = ServiceQuotas(self.wire.client("service-quotas"))

    def answer(self, operation: str, body: Mapping[str, Any]) -> object:
        assert body["ServiceCode"] == "sagemaker"
        if self.failing and body.get("NextToken"):
            return self.failing.pop()
        start, size = int(body.get("NextToken", "0")), body.get("MaxResults", 20)
        rows = self.listings[operation]
        page = {"Quotas": rows[start : start + size]}
        return page | ({"NextToken": str(start + size)} if start + size < len(rows) else {})


def many(count: int) -> list[dict[str, Any]]:
    """Quotas of other types, whose names come close."""
    near = [f"ml.g5.{n}xlarge for training warm pool usage" for n in range(count // 2)]
    return [quota(name, 7.0) for name in near] + [
        quota(f"ml.x{n} for spot training job usage", 7.0) for n in range(count - count // 2)
    ]


def test_applied_values_come_first() -> None:
    """A value that was applied to the account wins over the service's default, with its code."""
    account = Account(
        [quota(TRAINING, 4.0, "L-T"), quota(WARM_POOL, 2.0, "L-W")],
        [quota(TRAINING, 0.0), quota(WARM_POOL, 0.0)],
    )

    training, warm_pool = account.reader.read(G5)

    assert training == QuotaReading(TRAINING, "L-T", 4.0, "applied")
    assert warm_pool == QuotaReading(WARM_POOL, "L-W", 2.0, "applied")
    assert account.wire.operations() == ["ListServiceQuotas"]


def test_default_stands_where_nothing_was_applied() -> None:
    """A quota that the applied listing leaves out is read from the defaults, and marked so."""
    account = Account([quota(TRAINING, 4.0)], [quota(TRAINING, 1.0), quota(WARM_POOL, 0.0, "L-W")])

    training, warm_pool = account.reader.read(G5)

    assert training is not None
    assert training.source == "applied"
    assert warm_pool == QuotaReading(WARM_POOL, "L-W", 0.0, "default")


def test_quota_that_nobody_lists_is_none() -> None:
    """A type without such a quota is unknown, not 0."""
    assert Account(many(10), many(10)).reader.read(G5) == (None, None)


def test_only_the_exact_name_counts() -> None:
    """Names that contain, extend or respell the name are other quotas."""
    others = [f"{WARM_POOL} ", f"old {WARM_POOL}", WARM_POOL.upper(), f"{G5} for spot training job usage"]

    assert Account([quota(name, 9.0) for name in others], []).reader.read(G5) == (None, None)


def test_quota_without_a_value_falls_back_to_the_default() -> None:
    """A quota whose value the service could not retrieve carries an error instead; the default stands."""
    account = Account([quota(WARM_POOL, None)], [quota(WARM_POOL, 3.0)])

    _, warm_pool = account.reader.read(G5)

    assert warm_pool is not None
    assert (warm_pool.value, warm_pool.source) == (3.0, "default")


def test_three_thousand_quotas_take_no_more_calls_than_pages() -> None:
    """On an account with 3,000 quotas the check reads each page at most once, a hundred a page."""
    rows = many(3_000)
    rows[-2:] = [quota(TRAINING, 4.0), quota(WARM_POOL, 2.0)]
    account = Account(rows, many(3_000))

    training, warm_pool = account.reader.read(G5)

    assert training is not None
    assert warm_pool is not None
    assert len(account.wire.calls) == 30
    assert all(body["MaxResults"] == 100 for _, body in account.wire.calls)


def test_reading_stops_where_both_are_found() -> None:
    """Pages behind the second hit are not asked for."""
    rows = many(3_000)
    rows[150:152] = [quota(TRAINING, 4.0), quota(WARM_POOL, 2.0)]
    account = Account(rows, [])

    account.reader.read(G5)

    assert len(account.wire.calls) == 2


def test_defaults_are_read_only_for_what_is_missing() -> None:
    """A quota with an applied value is not looked for among the defaults."""
    account = Account([quota(TRAINING, 4.0)], [quota(WARM_POOL, 0.0), *many(3_000)])

    account.reader.read(G5)

    assert account.wire.operations() == ["ListServiceQuotas", "ListAWSDefaultServiceQuotas"]


def test_second_type_reads_no_page_again() -> None:
    """Another type is answered from the pages already read, and from those behind them."""
    account = Account(many(250), many(350))

    for instance_type in (G5, "ml.m5.xlarge", G5):
        assert account.reader.read(instance_type) == (None, None)
    assert len(account.wire.calls) == 3 + 4


def test_empty_page_is_not_the_end() -> None:
    """A page without quotas but with a token is followed."""
    pages = {
        "": {"Quotas": [], "NextToken": "2"},
        "2": {"Quotas": [quota(TRAINING, 1.0), quota(WARM_POOL, 1.0)]},
    }
    wire = Wire(lambda _, body: pages[body.get("NextToken", "")])

    training, warm_pool = ServiceQuotas(wire.client("service-quotas")).read(G5)

    assert training is not None
    assert warm_pool is not None


def test_half_read_listing_is_not_taken_for_the_whole() -> None:
    """When a page fails the reader says so; the next look goes on from there and finds the applied value."""
    rows = many(150)
    rows[-2:] = [quota(TRAINING, 4.0), quota(WARM_POOL, 2.0)]
    account = Account(rows, [quota(TRAINING, 0.0), quota(WARM_POOL, 0.0)])
    account.failing = [Error("TooManyRequestsException", "slow down", 429)]

    with pytest.raises(Unknown):
        account.reader.read(G5)
    training, warm_pool = account.reader.read(G5)

    assert training is not None
    assert warm_pool is not None
    assert (training.source, warm_pool.source) == ("applied", "applied")
    assert account.wire.operations() == ["ListServiceQuotas"] * 3


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (Error("AccessDeniedException"), ServiceDenied),
        (Error("UnrecognizedClientException"), ServiceDenied),
        (Error("TooManyRequestsException", status=429), Unknown),
        (Error("ServiceException", status=500), Unknown),
        (Error("SomethingNew", status=503), Unknown),
        (Error("IllegalArgumentException"), Rejected),
    ],
)
def test_errors_are_those_of_the_port(error: Error, raised: type[Exception]) -> None:
    """What botocore raises crosses the port by what the caller should do about it, in the service's words."""
    wire = Wire(lambda *_: error)

    with pytest.raises(raised, match=rf"\({error.code}\) when calling the ListServiceQuotas operation: no"):
        ServiceQuotas(wire.client("service-quotas")).read(G5)


@settings(deadline=None, max_examples=40)
@given(
    applied=st.integers(0, 400),
    default=st.integers(0, 400),
    places=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    present=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_reader_agrees_with_the_whole_listing(
    applied: int, default: int, places: list[float], present: list[bool]
) -> None:
    """Law: wherever the quotas stand, the reading is the applied value, else the default, else None."""
    listings = [many(applied), many(default)]
    for index, (place, there) in enumerate(zip(places, present, strict=True)):
        rows, name = listings[index // 2], (TRAINING, WARM_POOL)[index % 2]
        if there:
            rows.insert(int(place * len(rows)), quota(name, float(index)))
    account = Account(*listings)

    readings = account.reader.read(G5)

    for offset, reading in enumerate(readings):
        expected = offset if present[offset] else offset + 2 if present[offset + 2] else None
        assert (None if reading is None else reading.value) == expected
    pages = sum(max(1, -(-len(rows) // 100)) for rows in listings)
    assert len(account.wire.calls) <= pages
