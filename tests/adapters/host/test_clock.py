"""What reads the wall's clock itself, under a frozen one."""

import json
import time
from datetime import UTC, datetime

import pytest
from freezegun import freeze_time

from wpfsm.adapters.aws.prices import PriceList
from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.documents.rows import ledger_of
from wpfsm.adapters.host.clock import WallClock
from wpfsm.fsm.records import Job, Loop, Price, State
from wpfsm.state import leases
from wpfsm.state.database import create_or_open
from wpfsm.state.history import History
from wpfsm.state.store import create_loop

NOON = "2026-03-01 12:00:00"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
FILE = {
    "pool": {"instance_type": "ml.g6e.2xlarge", "instance_count": 2, "keep_alive": "10m"},
    "job": {"max_runtime": "1h"},
    "forecast": {},
    "metric": None,
}
PRICE = Price(3.0, "loop file", "2026-03-01", "us-east-1", "ml.g6e.2xlarge")


@freeze_time(NOON)
def test_the_wall_clock_is_the_walls():
    """The controller's clock is the time of day in seconds since the epoch."""
    assert WallClock().now() == pytest.approx(AT, abs=1)


@freeze_time(NOON)
def test_a_price_carries_the_day_it_was_read():
    """A price of the built-in table keeps its own date; today is what the reader would stamp."""
    price = PriceList(None).price("us-east-1", "ml.g6e.2xlarge")
    assert price is not None
    assert price.source == "built-in table"
    assert price.as_of != "2026-03-01"


def test_idle_time_is_estimated_up_to_now(tmp_path):
    """While its pool idles, a job's cost grows with the clock, and stops at the keep-alive."""
    path = tmp_path / "w.db"
    connection = create_or_open(path)
    loop = Loop(
        id="frozen-1", name="frozen", state=State.VERIFYING, backend="local", region="us-east-1", created_at=AT,
        updated_at=AT, loop_file=FILE, price=PRICE,
    )  # fmt: skip
    create_loop(connection, path, loop, "test")
    job = Job(
        loop_id=loop.id, number=1, trial=1, name="frozen-1-001", params={}, request={}, request_digest="d",
        source_digest="", keep_alive=600.0, max_runtime=3600.0, arn="arn", status="Completed", created_at=AT,
        started_at=AT, ended_at=AT + 60, startup_seconds=0.0, training_seconds=60.0, billable_seconds=60.0,
        pool_status="Available",
    )  # fmt: skip

    def cost(minutes):
        with freeze_time(datetime.fromtimestamp(AT + 60 + minutes * 60, UTC)):
            return ledger_of(loop, [job], WallClock().now()).cost_usd

    assert cost(5) == pytest.approx((60 + 300) / 3600 * 3.0 * 2, rel=1e-3)
    assert cost(10) == pytest.approx((60 + 600) / 3600 * 3.0 * 2, rel=1e-3)
    assert cost(60) == pytest.approx((60 + 600) / 3600 * 3.0 * 2)
    with freeze_time(NOON):
        document = loop_document(History(connection), loop)
    connection.close()
    assert json.loads(json.dumps(document))["loop"]["created_at"] == "2026-03-01T12:00:00+00:00"


def test_a_lease_note_says_since_when(tmp_path):
    """The refusal of a held right names the moment at which it was taken."""
    with freeze_time(NOON):
        lease = leases.acquire(tmp_path, "loop-a", what="loop a", holder="a")
    note = json.loads((tmp_path / "loop-a.lock").read_text())
    lease.release()
    assert note["since"] == AT


def test_a_clock_that_was_set_back_starts_no_earlier_than_what_has_happened() -> None:
    """Between two controllers the machine's clock may be set: the loop's newest event has been, whatever it says."""
    newest = time.time() + 3600
    assert WallClock(not_before=newest).now() >= newest
    assert WallClock(not_before=0.0).now() < newest
