"""How long an idle pool should stay."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wpfsm.fsm.pool.keep_alive import (
    ABSOLUTE_CAP,
    CAP,
    Driver,
    cap,
    chain_remaining,
    default_keep_alive,
    percentile,
    recommend,
    renewal,
)

law = settings(deadline=None)
DAY = 86_400.0


@pytest.mark.parametrize(("driver", "seconds"), [("program", 600.0), ("person", 1_800.0)])
def test_default_depends_on_the_driver(driver: Driver, seconds: float) -> None:
    """Ten minutes suit a program, thirty a person."""
    assert default_keep_alive(driver) == seconds


def test_no_history_recommends_the_default() -> None:
    """Before a gap was seen the default stands, and the reason says so."""
    advice = recommend([], 300.0, driver="person")

    assert (advice.keep_alive_seconds, advice.hold) == (1_800.0, True)
    assert "No gap" in advice.why


def test_p95_in_whole_minutes_where_holding_pays() -> None:
    """Gaps of a program: the keep-alive covers 95 % of them, rounded up to a minute."""
    advice = recommend([80.0] * 19 + [2_000.0], 300.0, price_per_hour=3.60)

    assert (advice.keep_alive_seconds, advice.hold) == (120.0, True)
    assert "95 % of 20 gaps are within 80 s" in advice.why
    assert "bridges 19 of 20" in advice.why
    assert "($0.08)" in advice.why


def test_long_gaps_recommend_to_release() -> None:
    """Where a gap idles far longer than a cold start takes, the pool is better released."""
    advice = recommend([1_500.0, 1_800.0, 1_700.0], 300.0)

    assert (advice.keep_alive_seconds, advice.hold) == (0.0, False)
    assert "Release" in advice.why


def test_time_may_be_worth_more_than_the_instance() -> None:
    """Somebody whose waiting is worth ten times the instance holds the same pool."""
    assert recommend([1_500.0, 1_800.0, 1_700.0], 300.0, time_worth=10.0).hold


def test_billed_provisioning_is_money_not_time() -> None:
    """Where provisioning is billed the worth of time is not asked: a start saved is a start not paid."""
    assert not recommend([400.0], 300.0, bill_provisioning=True, time_worth=100.0).hold
    assert recommend([200.0], 300.0, bill_provisioning=True, time_worth=0.0).hold


def test_mixed_gaps_bridge_the_short_ones() -> None:
    """Many short gaps and a few long ones: the short are bridged, the long are let go."""
    advice = recommend([60.0] * 8 + [3_400.0] * 2, 300.0)

    assert (advice.keep_alive_seconds, advice.hold) == (60.0, True)


def test_gaps_beyond_the_cap_are_not_chased() -> None:
    """No recommendation passes the cap, whatever the gaps."""
    advice = recommend([7_000.0] * 5, 300.0, time_worth=1_000.0)

    assert advice.keep_alive_seconds <= CAP
    assert recommend([7_000.0] * 5, 300.0, time_worth=1_000.0, allow_long=True).keep_alive_seconds == 7_020.0


gaps = st.lists(st.floats(0, 10_000), min_size=1, max_size=30)


def gain(keep_alive: float, gaps: list[float], worth: float) -> float:
    """What these gaps would have gained in seconds at the instance's price; 0 for a released pool."""
    if keep_alive == 0:
        return 0.0
    return sum((worth if gap <= keep_alive else 0.0) - min(gap, keep_alive) for gap in gaps)


@law
@given(gaps=gaps, cold=st.floats(0, 1_000), allow_long=st.booleans())
def test_following_the_advice_never_loses(gaps: list[float], cold: float, *, allow_long: bool) -> None:
    """Law: on the gaps that it was made from, the advice is never worse than releasing, nor beyond the cap."""
    advice = recommend(gaps, cold, allow_long=allow_long)

    assert advice.keep_alive_seconds <= cap(allow_long=allow_long) <= ABSOLUTE_CAP
    assert advice.hold == (advice.keep_alive_seconds > 0)
    assert gain(advice.keep_alive_seconds, gaps, cold) >= -1e-6


@law
@given(gaps=gaps, cold=st.floats(0, 1_000), whole_minutes=st.integers(1, 60))
def test_release_is_advised_only_if_no_keep_alive_pays(
    gaps: list[float], cold: float, whole_minutes: int
) -> None:
    """Law: when the advice is to release, no keep-alive of whole minutes would have gained anything."""
    assume(not recommend(gaps, cold).hold)

    assert gain(whole_minutes * 60.0, gaps, cold) <= 1e-6


@law
@given(values=gaps, share=st.floats(0.01, 1))
def test_percentile_covers_its_share(values: list[float], share: float) -> None:
    """Law: at least the share of the values is within the percentile, and it is one of them."""
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


def test_percentile_of_nothing() -> None:
    """No values have no percentile."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.95)


def test_renewal_reaches_the_moment_under_both_rules() -> None:
    """A pool idle for 5 min that is to last 20 min more is set to 25, which covers both ways to count."""
    assert renewal(idle_since=0.0, keep_alive=600.0, now=300.0, hold_until=1_500.0) == 1_500.0


def test_renewal_is_not_needed_when_the_pool_lasts() -> None:
    """A pool that lasts long enough is left alone."""
    assert renewal(idle_since=0.0, keep_alive=600.0, now=300.0, hold_until=600.0) is None


@law
@given(
    idle_since=st.floats(0, 1e6),
    keep_alive=st.floats(0, 3_600),
    idled=st.floats(0, 3_600),
    hold=st.floats(0, 10_000),
)
def test_renewal_law(idle_since: float, keep_alive: float, idled: float, hold: float) -> None:
    """Law: a renewal only ever lengthens, stays in the cap, and reaches the moment if the cap allows."""
    now, until = idle_since + idled, idle_since + idled + hold
    renewed = renewal(idle_since, keep_alive, now, until)

    lasts = idle_since + (keep_alive if renewed is None else renewed)
    assert renewed is None or keep_alive < renewed <= CAP
    assert lasts >= min(until, idle_since + CAP) - 1e-3


def test_chain_ends_after_28_days() -> None:
    """A cluster may be reused for 28 days from its first job, and no time is left after that."""
    assert chain_remaining(1_000.0, 1_000.0) == 28 * DAY
    assert chain_remaining(1_000.0, 1_000.0 + 27 * DAY) == DAY
    assert chain_remaining(1_000.0, 1_000.0 + 40 * DAY) == 0.0


@law
@given(moments=st.lists(st.floats(0, 40 * DAY), min_size=2).map(sorted))
def test_chain_only_shrinks(moments: list[float]) -> None:
    """Law: what is left of the chain never grows, nor passes 28 days, nor falls below 0."""
    left = [chain_remaining(0.0, now) for now in moments]

    assert all(before >= after for before, after in pairwise(left))
    assert all(0 <= value <= 28 * DAY for value in left)
