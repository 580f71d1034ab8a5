"""After the database was lost: what runs, what idles, and the command for each are still found."""

from __future__ import annotations

import sqlite3

from cli_bench import BROKEN, SLOW, Bench


def test_the_controller_names_its_jobs_when_its_database_is_lost(bench: Bench):
    """Nobody else may know them now: the error has the command that releases what runs."""
    process = bench.begin("start", bench.loop("lost", SLOW))
    bench.wait_running("lost")
    job = bench.document("lost")["jobs"][0]["name"]
    bench.database.write_bytes(b"x" * 8192)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 75, err
    assert f"wpfsm release --job {job} --endpoint-url {bench.url}" in err
    assert "nothing committed was lost" not in err
    ran = bench.run("release", "--job", job, "--db", bench.folder / "none.db")
    assert ran.code == 0, ran.err


def test_gc_reports_what_no_database_here_knows_and_stops_it_only_when_told(bench: Bench):
    """A job that runs, and a pool that is young: both are ours, both burn, and another machine may be using them."""
    job = bench.killed("elsewhere")["jobs"][0]["name"]
    assert bench.run("start", bench.loop("young", BROKEN)).code == 10
    pool = bench.document("young")["jobs"][0]["name"]
    nowhere = ("--db", bench.folder / "none.db", "--backend", "local")
    looked = bench.run("gc", "--apply", "--older-than", "1h", *nowhere)
    assert looked.code == 0
    assert f"wpfsm release --job {job}" in looked.out
    assert f"wpfsm release --job {pool}" in looked.out
    assert "nothing to collect" not in looked.out
    assert [row["job"] for row in bench.run("gc", "--apply", "--older-than", "1h", "-o", "json", *nowhere).json["running"]
            if row["job"] == job] == [job]  # fmt: skip
    told = bench.run("gc", "--apply", "--running", "--older-than", "1h", "-o", "json", *nowhere)
    assert {"job": job, "outcome": "released"}.items() <= next(
        r for r in told.json["released"] if r["job"] == job
    ).items()
    assert pool not in [r["job"] for r in told.json["released"]]
    assert bench.run("release", "young").code == 0


def test_a_closed_loop_that_ended_on_an_outage_says_so(bench: Bench):
    """75 says that the same command may be run again; for a closed loop that would never change anything."""
    assert bench.run("start", bench.loop("gaveup")).code == 0
    with sqlite3.connect(bench.database) as connection:
        connection.execute("update loops set outcome = 'transient'")
    connection.close()
    ran = bench.run("resume", "gaveup")
    assert ran.code == 1
    assert "a closed loop is not resumed" in ran.err
    assert "wpfsm start" in ran.err
