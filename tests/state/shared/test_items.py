"""Records as items of the shared table."""

from __future__ import annotations

import dataclasses

from shared_rows import again, owned
from state_rows import INTENT, JOB, LOOP, OBLIGATION

from wpfsm.fsm.records import Change, State
from wpfsm.state.shared.items import MOST_BYTES

INTENDED = Change(
    kind="intended", why="job 1", jobs=(JOB,), intents=(INTENT,), obligations=(OBLIGATION,), at=101.0
)


def test_a_row_that_is_large_goes_to_the_bucket() -> None:
    """A record beyond 64 KB is read back whole, and the item stays small."""
    big = dataclasses.replace(JOB, request={"Environment": {"A": "x" * 2 * MOST_BYTES}})
    with owned() as (table, blobs, rows):
        rows.commit(dataclasses.replace(INTENDED, jobs=(big,)), state=State.SUBMITTING)
        assert again(table, blobs).jobs() == [big]
        assert all(len(str(item)) < MOST_BYTES for item in table.query(LOOP.id))
