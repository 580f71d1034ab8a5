"""One job, no pool, the same books."""

from __future__ import annotations

from typing import Any

from strategy_stories import STORIES, Outcome, world_of

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.state.history import History


def _document(history: History) -> Any:
    loop = history.find("story")
    return loop_document(history, loop, now=loop.updated_at)


def test_single_asks_for_no_pool_and_keeps_the_same_books() -> None:
    """No keep-alive in the request, no pool at the service; a ledger and a receipt as for any loop."""
    with world_of(STORIES["single"]) as world:
        outcome = Outcome(world, world.finish())
        assert world.emulator.pools() == []
        with world.history() as history:
            document = _document(history)
    assert outcome.exit_code == 0
    assert "KeepAlivePeriodInSeconds" not in outcome.jobs[0].request["ResourceConfig"]
    assert not any(name.startswith("WPFSM_CHECKPOINT") for name in outcome.jobs[0].request["Environment"])
    assert document["pool"]["released"] is True
    assert document["ledger"]["cost_usd"] > 0
    assert document["ledger"]["settled"] is True
    assert document["receipt"]["released"] is True
    assert document["comparisons"] == []
