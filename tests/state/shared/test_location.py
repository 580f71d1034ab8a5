"""The address of a shared table."""

from __future__ import annotations

import pytest

from wpfsm.fsm.errors import UsageError
from wpfsm.state.shared.location import cache_of, parse


def test_an_address_names_region_and_table() -> None:
    """As the command that makes a table prints it."""
    assert parse("dynamodb://eu-west-1/team.wpfsm_2") == ("eu-west-1", "team.wpfsm_2")


@pytest.mark.parametrize(
    "url",
    ["", "dynamodb://", "dynamodb://us-east-1", "dynamodb://us-east-1/ab", "dynamodb://us-east-1/a/b", "s3://us-east-1/wpfsm",
     "dynamodb://us-east-1/wpfsm\n", "dynamodb://../wpfsm"],
)  # fmt: skip
def test_another_address_is_refused_with_an_example(url: str) -> None:
    """Nothing that could lead out of the folder of copies passes."""
    with pytest.raises(UsageError, match="names no table") as refusal:
        parse(url)
    assert "dynamodb://us-east-1/wpfsm" in refusal.value.fix


def test_two_tables_share_no_copies() -> None:
    """Each region and table has its own place on this machine, and always the same one."""
    places = [
        cache_of(f"dynamodb://{place}") for place in ("us-east-1/one", "us-east-1/two", "us-west-2/one")
    ]

    assert len(set(places)) == 3
    assert places[0] == cache_of("dynamodb://us-east-1/one")
