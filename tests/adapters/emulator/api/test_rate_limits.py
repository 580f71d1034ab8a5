"""Request rates: a burst, then as many as refill, for each operation and place by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wpfsm.adapters.emulator.api.rate_limits import BURST_SECONDS, Rates
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.settings import Switches

HERE, THERE = ("123456789012", "us-east-1"), ("123456789012", "eu-west-1")
STRICT = replace(Switches(), enforce_rates=True, create_rate=2.0)


def allowed(rates: Rates, place: tuple[str, str] = HERE, operation: str = "CreateTrainingJob") -> int:
    """How many calls in a row are let through, of a thousand."""
    for count in range(1000):
        try:
            rates.check(operation, place)
        except ServiceError:
            return count
    return 1000


def test_a_burst_is_let_through_and_then_what_refills() -> None:
    """Two a second: four at once, none at the same moment, two more a second later, never more than the burst."""
    now = [0.0]
    rates = Rates(STRICT, lambda: now[0])
    assert allowed(rates) == 2 * BURST_SECONDS
    assert allowed(rates) == 0
    now[0] += 1
    assert allowed(rates) == 2
    now[0] += 1000
    assert allowed(rates) == 2 * BURST_SECONDS


def test_a_refusal_costs_no_token() -> None:
    """Who asks too often is served as soon as one refills."""
    now = [0.0]
    rates = Rates(STRICT, lambda: now[0])
    allowed(rates)
    for _ in range(100):
        with pytest.raises(ServiceError, match="ThrottlingException"):
            rates.check("CreateTrainingJob", HERE)
    now[0] += 0.5
    assert allowed(rates) == 1


def test_places_and_operations_have_their_own() -> None:
    """One region's load throttles no other's, and what has no rate is never refused."""
    rates = Rates(STRICT, lambda: 0.0)
    assert allowed(rates) == allowed(rates, THERE) == 4
    assert allowed(rates, operation="StopTrainingJob") == 1000


def test_without_the_switch_nothing_is_refused() -> None:
    """Only who asks for it lives with it."""
    assert allowed(Rates(replace(STRICT, enforce_rates=False), lambda: 0.0)) == 1000
