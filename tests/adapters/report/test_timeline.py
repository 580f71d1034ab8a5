"""Where each second of a pool went."""

from __future__ import annotations

from pathlib import Path

from report_page import SWEEP, facts_of

from wpfsm.adapters.report.timeline import segments


def test_the_timeline_accounts_for_every_second_of_the_pool(tmp_path: Path):
    """Start, training and idle time follow each other without gap or overlap, and end with the pool."""
    facts = facts_of(tmp_path, SWEEP)
    found = segments(facts)
    assert [s.phase for s in found] == ["cold start", "training", "idle"] + 2 * [
        "warm start",
        "training",
        "idle",
    ]
    assert [s.start for s in found[1:]] == [s.end for s in found[:-1]]
    assert found[0].start == facts.jobs[0].created_at
    assert found[-1].end == facts.jobs[-1].pool_ended_at
    assert sum(s.seconds for s in found if s.phase == "idle") == facts.ledger.retained_seconds
