"""What a text denies is not what it asks for."""

from __future__ import annotations

from wpfsm.adapters.detect.detect import detect


def test_a_denied_obstacle_is_no_obstacle() -> None:
    """Spot that is ruled out does not decline the sweep."""
    assert detect("not on spot: sweep lr 1e-4, 5e-5").trials == [{"lr": 1e-4}, {"lr": 5e-5}]
