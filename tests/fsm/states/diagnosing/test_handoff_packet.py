"""The pool is held while somebody mends, and no longer than the money allows."""

from __future__ import annotations

from datetime import datetime

import pytest
from watched_world import Watched, loop_file

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script


def breaks(launch: Launch) -> Script:
    """A failure that no patch mends."""
    return Script(seconds=50, lines=["ValueError: the shapes do not fit"], exit_code=1)


def test_max_cost_bounds_what_a_hand_off_may_hold() -> None:
    """A pool is held while somebody mends, but never beyond the money: the rest of $2.60 at $3.60/h."""
    rules = [{"when": "any", "do": "handoff", "hold": "60m"}]
    world = Watched(loop_file(5, limits={"max_cost": 2.60}, on_failure=rules), script=breaks)
    result = world.run()
    assert result.exit_code == 10
    handoff = world.document()["handoff"]
    assert 0 < handoff["pool"]["usd_at_most"] <= 2.60 - 50 / 3600 * 3.60
    assert world.jobs()[0].keep_alive == pytest.approx(2.60 / 3.60 * 3600 - 50, abs=60)
    world.clock.advance(3600)
    world.emulator.advance(0)
    assert (world.document()["ledger"]["cost_usd"] or 0) <= 2.60


def test_hand_off_is_held_as_asked_within_the_limit() -> None:
    """Where the money suffices, the loop file's hold stands."""
    rules = [{"when": "any", "do": "handoff", "hold": "20m"}]
    world = Watched(loop_file(5, limits={"max_cost": 20.0}, on_failure=rules), script=breaks)
    assert world.run().exit_code == 10
    job = world.jobs()[0]
    handoff = world.document()["handoff"]
    assert (
        datetime.fromisoformat(handoff["pool"]["held_until"]) - datetime.fromisoformat(handoff["opened_at"])
    ).total_seconds() == pytest.approx(1200, abs=5)
    assert job.keep_alive >= 1200
