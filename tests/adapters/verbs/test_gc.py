"""``gc``: what nobody drives any more is shown, and released when told."""

from __future__ import annotations

from cli_bench import BROKEN, SLOW, Bench


def test_gc_shows_first_and_releases_only_when_told(bench: Bench):
    """A loop whose controller died is listed; --apply stops its job, releases its pool and closes it."""
    job = bench.killed("orphaned")["jobs"][0]["name"]
    looked = bench.run("gc", "-o", "json")
    assert looked.code == 0
    assert [loop["owed"] for loop in looked.json["loops"]] == [[job]]
    assert bench.document("orphaned")["loop"]["state"] == "Running", "looking changes nothing"
    assert bench.run("gc", "--apply").code == 0
    document = bench.document("orphaned")
    assert document["loop"]["state"] == "Closed"
    assert document["pool"]["released"] is True
    assert "orphaned" not in bench.run("gc").out


def test_gc_leaves_a_live_loop_and_a_hand_off_alone(bench: Bench):
    """What somebody drives, or holds for a stated time, is not garbage."""
    assert bench.run("start", bench.loop("handed", BROKEN)).code == 10
    bench.begin("start", bench.loop("alive", SLOW))
    bench.wait_running("alive")
    ran = bench.run("gc", "--apply", "-o", "json")
    assert ran.code == 0
    assert ran.json["loops"] == []
    assert bench.document("handed")["handoff"] is not None
    assert bench.document("alive")["loop"]["state"] == "Running"
    for name in ("handed", "alive"):
        assert bench.run("stop", name).code == 0
