"""Which strategies a request is drafted with."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.detect import detect
from wpfsm.adapters.detect.strategies import phases_of


@pytest.mark.parametrize(
    ("request_", "types"),
    [
        ("make it run, then try lr 1e-3 and 1e-4", ["fix", "sweep"]),
        ("fix train.py and then sweep batch size 16, 32, 64", ["fix", "sweep"]),
        ("Get my script running first, then lr 1e-3, 1e-4, then train the best one until val_loss < 0.2",
         ["fix", "sweep", "until"]),
        ("try lr 1e-3 and 1e-4, then fix the seed", ["sweep"]),
    ],
)  # fmt: skip
def test_a_script_that_is_to_run_first_gets_a_phase_for_it(request_: str, types: list[str]) -> None:
    """And only where the request says that the trials come after it."""
    assert [phase.keys["type"] for phase in phases_of(detect(request_))] == types
