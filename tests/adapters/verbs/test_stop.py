"""``stop``: a loop is stopped when its pool is released, whoever drives it."""

from __future__ import annotations

from cli_bench import SLOW, Bench


def test_stop_waits_for_the_receipt(bench: Bench):
    """The controller stops its job, releases and closes; `stop` shows that, and the controller exits with 1."""
    process = bench.begin("start", bench.loop("stopped", SLOW))
    bench.wait_running("stopped")
    ran = bench.run("stop", "stopped", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["loop"]["outcome"] == "stopped"
    assert ran.json["pool"]["released"] is True
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert bench.run("stop", "stopped").code == 0, "a closed loop is stopped already"


def test_stop_without_a_controller_releases_by_itself(bench: Bench):
    """Nobody is there to be asked, so it is done here."""
    bench.killed("deserted")
    ran = bench.run("stop", "deserted", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["pool"]["released"] is True
