"""The same configuration again, after a pause that doubles."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from patch_stories import INFRA, after

from wpfsm.fsm.patches import Material, Patch, propose
from wpfsm.fsm.patches.retry import FIRST_WAIT, LONGEST_WAIT, wait_seconds


@given(attempt=st.integers(1, 60), seed=st.text(max_size=16))
def test_backoff_doubles_within_bounds(attempt, seed):
    """30 s, 60 s, 120 s … with up to a fifth more, never above the bound, and the same when asked again."""
    wait = wait_seconds(seed, attempt)

    assert FIRST_WAIT <= wait <= LONGEST_WAIT
    assert wait == wait_seconds(seed, attempt)
    if attempt <= 4:
        assert 30 * 2 ** (attempt - 1) <= wait <= 36 * 2 ** (attempt - 1)


def test_each_retry_is_its_own_patch():
    """The same attempt is not made twice; the next one is."""
    material = Material()
    first = propose("retry", INFRA, material)
    assert isinstance(first, Patch)
    again = after(INFRA, first, material)

    assert isinstance(propose("retry", INFRA, replace(again, attempt=1)), str)
    assert isinstance(propose("retry", INFRA, replace(again, attempt=1)), str)
    second = propose("retry", INFRA, again)
    assert isinstance(second, Patch)
    assert second.key != first.key
    assert second.hyperparameters == second.files == {}
