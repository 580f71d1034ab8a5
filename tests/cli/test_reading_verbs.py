"""What every verb that reads keeps to."""

from __future__ import annotations

from cli_bench import Bench


def test_reading_verbs_write_nothing(finished: Bench):
    """A verb that reads leaves the database as it is."""
    before = finished.database.read_bytes()
    for words in (["inspect"], ["inspect", "sweep"], ["inspect", "sweep", "--events"], ["logs", "sweep"],
                  ["wait", "sweep"], ["explain", "broken"], ["diff", "broken"]):  # fmt: skip
        finished.run(*words)
    assert finished.database.read_bytes() == before
