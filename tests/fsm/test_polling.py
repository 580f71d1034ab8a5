"""How soon a job is read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.polling import AWS, LOOPBACK, backoff, next_read

paces = st.sampled_from([AWS, LOOPBACK])
seconds = st.floats(0, 1e7)


@given(paces, seconds, st.none() | seconds, st.booleans())
def test_a_read_is_never_sooner_or_later_than_the_bounds(pace, elapsed, expected, ending):
    """The service's rate is kept, and no job's end is missed for long."""
    assert pace.least <= next_read(pace, elapsed=elapsed, expected=expected, ending=ending) <= pace.most


@given(paces, seconds, st.none() | seconds)
def test_a_job_that_is_ending_is_read_at_once(pace, elapsed, expected):
    """Whatever was expected: its log has shown its last lines."""
    assert next_read(pace, elapsed=elapsed, expected=expected, ending=True) == pace.least


def test_reading_is_sparse_before_the_end_dense_at_it_and_sparse_long_after():
    """A job that is expected to take 200 s, on the service."""
    waits = [next_read(AWS, elapsed=at, expected=200, ending=False) for at in (0, 180, 195, 1000)]

    assert waits == pytest.approx([30, 10, 6, 30])


@given(paces, st.integers(0, 10**6))
def test_a_backoff_doubles_up_to_the_bound(pace, attempt):
    """However often a call failed, the pause is a number within the bounds and no shorter than the one before."""
    assert pace.backoff <= backoff(pace, attempt) <= backoff(pace, attempt + 1) <= pace.most
    if backoff(pace, attempt + 1) < pace.most:
        assert backoff(pace, attempt + 1) == 2 * backoff(pace, attempt)
