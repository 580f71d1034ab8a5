"""``-o jsonl``: the events table on standard output, whole, in order, and nothing else."""

from __future__ import annotations

import sqlite3

from cli_bench import OK, Bench


def events_of(bench: Bench) -> list[tuple[int, str, str, str]]:
    with sqlite3.connect(bench.database) as connection:
        rows = connection.execute(
            "select seq, kind, target, why from events order by loop_id, seq"
        ).fetchall()
    connection.close()
    return rows


def test_jsonl_streams_every_event_once_and_in_order(bench: Bench):
    """Standard output holds the events table, one object a line, and nothing else."""
    ran = bench.run("start", bench.loop("stream", OK), "-o", "jsonl")
    assert ran.code == 0, ran.err
    assert [(e["seq"], e["kind"], e["to"], e["why"]) for e in ran.lines] == events_of(bench)
    assert [e["seq"] for e in ran.lines] == list(range(1, len(ran.lines) + 1))
    assert all(
        set(e) == {"schema", "seq", "at", "loop", "kind", "from", "to", "why", "data"} for e in ran.lines
    )
    assert {e["schema"] for e in ran.lines} == {"wpfsm/1"}
    assert (ran.lines[0]["from"], ran.lines[-1]["to"]) == (None, "Closed")


def test_jsonl_of_a_resume_goes_on_where_the_history_ends(bench: Bench):
    """A resume streams what is new: with what was there before it is the whole history, nothing twice."""
    assert bench.run("start", bench.loop("again", "raise SystemExit(3)")).code == 10
    before = events_of(bench)
    ran = bench.run("resume", "again", "--abandon", "-o", "jsonl")
    assert [e["seq"] for e in ran.lines] == [e[0] for e in events_of(bench)][len(before) :]
    assert ran.lines[-1]["to"] == "Closed"


def test_a_reader_that_leaves_does_not_end_the_loop(bench: Bench):
    """Both streams closed by their reader: the loop goes on to its end and releases its pool."""
    process = bench.begin("start", bench.loop("left", OK), "-o", "jsonl")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(60) == 0
    process.stdout, process.stderr = None, None
    assert bench.document("left")["pool"]["released"] is True
