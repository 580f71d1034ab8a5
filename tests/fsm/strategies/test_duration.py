"""Durations of a loop file: written with a unit, held in seconds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wpfsm.fsm.strategies.duration import Duration

DURATION: TypeAdapter[float] = TypeAdapter(Duration)


@pytest.mark.parametrize(("written", "seconds"), [("90s", 90), ("10m", 600), ("1h", 3600)])
def test_a_duration_is_written_with_its_unit(written: str, seconds: float) -> None:
    """As the loop file's examples do."""
    assert DURATION.validate_python(written) == seconds


@pytest.mark.parametrize("written", ["", "10", "m", "10 parsecs", "-5m", "1h30", None])
def test_what_has_no_unit_is_refused(written: object) -> None:
    """Nobody knows whether 10 is seconds or minutes."""
    with pytest.raises(ValidationError):
        DURATION.validate_python(written)


@given(st.integers(0, 10**6 - 1))
def test_what_is_written_out_is_read_back(seconds: int) -> None:
    """The stored loop file holds the same duration, in the form that its schema states."""
    written = DURATION.dump_python(float(seconds), mode="json")

    assert re.fullmatch(str(DURATION.json_schema()["pattern"]), written)
    assert DURATION.validate_python(written) == seconds


def test_a_long_duration_that_is_no_whole_minute_is_read_back_too():
    """`max_runtime` may be 28 days, which is more than two million seconds."""
    assert DURATION.validate_python(DURATION.dump_python(1_000_001.0, mode="json")) == 1_000_001
