"""The ledger as the user sees it: estimated while something is open, final when the service has said so."""

from __future__ import annotations

from typing import Any

import pytest
from watched_world import COLD, WARM, Watched, loop_file

from wpfsm.adapters.emulator.scripted import Script

RATE = 3.6 / 3600
"""USD a second: the loop file says $3.60 an hour."""


def test_ledger_is_an_estimate_until_the_pool_is_over() -> None:
    """While the pool idles its cost is estimated and marked so; after the release it is the service's figure."""
    world = Watched()
    pages: list[tuple[dict[str, Any], str]] = []
    world.run({"before commit release": lambda: pages.append((world.document(), world.inspect()))})
    (document, page), final = pages[0], world.document()
    assert document["ledger"]["settled"] is False
    assert [job["estimated"] for job in document["jobs"]] == [False, True]
    assert "cost  ~$" in page
    assert final["ledger"]["settled"] is True
    assert [job["estimated"] for job in final["jobs"]] == [False, False]
    assert "cost  $" in world.inspect()


def test_final_ledger_is_made_of_the_services_seconds() -> None:
    """Startup, training, billable and retained seconds of each job, and the dollars that they make."""
    world = Watched()
    world.run()
    jobs, ledger = world.document()["jobs"], world.document()["ledger"]
    assert [job["startup_seconds"] for job in jobs] == [COLD, WARM]
    assert [job["billable_seconds"] for job in jobs] == [100, 100]
    rows = {pool.number: pool for pool in world.emulator.pools()}
    assert len(rows) == 1
    retained = [job["retained_seconds"] for job in jobs]
    assert ledger["retained_seconds"] == sum(retained)
    assert ledger["cost_usd"] == pytest.approx((200 + sum(retained)) * RATE)
    cold = ledger["cold"]
    assert cold["measured"] is True
    assert cold["start_seconds"] == COLD
    assert cold["wall_seconds"] == pytest.approx(ledger["wall_seconds"] + COLD - WARM)
    assert cold["cost_usd"] == pytest.approx(200 * RATE)
    assert ledger["price_source"] == "loop file"


def test_unknown_price_is_shown_as_unknown() -> None:
    """No price anywhere: dollars are null in the document and unknown on the page, never 0."""
    world = Watched(loop_file(pool={"price_per_hour": None, "instance_type": "ml.p4d.24xlarge"}))
    result = world.run()
    assert result.exit_code == 0
    document, page = world.document(), world.inspect()
    assert document["ledger"]["cost_usd"] is None
    assert document["ledger"]["cold"]["cost_usd"] is None
    assert [job["cost_usd"] for job in document["jobs"]] == [None, None]
    assert "the price is unknown; pool.price_per_hour states it" in page
    assert "$0" not in page
    finding = "the price of ml.p4d.24xlarge in us-east-1 is not known"
    assert finding in world.events("admitted")[0].why


def test_price_list_is_dated() -> None:
    """Without a price in the loop file the price list's stands, with its source and its date."""
    world = Watched(loop_file(pool={"price_per_hour": None}))
    world.run()
    ledger = world.document()["ledger"]
    assert ledger["price_per_hour"] > 0
    assert ledger["price_source"] == "price list"
    assert ledger["price_date"] in world.inspect()


def test_idle_time_of_a_waiting_pool_is_estimated() -> None:
    """The service gives 0 while a pool idles: shown is how long it has idled by now, and that this is an estimate."""
    rules = [{"when": "any", "do": "handoff", "hold": "20m"}]
    world = Watched(loop_file(on_failure=rules, pool={"instance_count": 2}),
                    script=lambda _: Script(seconds=50, lines=["ValueError: no"], exit_code=1))  # fmt: skip
    assert world.run().exit_code == 10
    world.clock.advance(300)
    (job,) = world.document()["jobs"]
    assert job["estimated"] is True
    assert job["retained_seconds"] == pytest.approx(world.clock.now() - (world.jobs()[0].ended_at or 0))
    assert job["cost_usd"] == pytest.approx(2 * (50 + job["retained_seconds"]) * RATE)
    assert "~5 min" in world.inspect()


def test_job_that_left_no_pool_idled_for_nothing() -> None:
    """After an infrastructure failure there is no pool: once that is proven no idle time is charged, estimated or not."""
    world = Watched(faults=({"kind": "internal_error", "seconds": 10, "times": 1},))
    assert world.run().exit_code == 0
    failed, *others = world.document()["jobs"]
    assert failed["status"] == "Failed"
    assert failed["retained_seconds"] == 0
    assert failed["cost_usd"] == pytest.approx(failed["billable_seconds"] * RATE)
    assert [job["estimated"] for job in (failed, *others)] == [False] * (1 + len(others))
    assert world.document()["ledger"]["settled"] is True
