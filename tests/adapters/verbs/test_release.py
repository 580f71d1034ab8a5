"""``release``: the pool of a loop, or of one job that no database here knows."""

from __future__ import annotations

from typing import Any

import pytest
from cli_bench import BROKEN, Bench


def row_of(bench: Bench, job: str) -> Any:
    """The row of `pools` for a job; None when there is none."""
    return next((pool for pool in bench.run("pools", "-o", "json").json["pools"] if pool["job"] == job), None)


def test_release_is_idempotent(bench: Bench):
    """A hand-off is released, and a second time nothing is left to do."""
    assert bench.run("start", bench.loop("let-go", BROKEN)).code == 10
    for _ in range(2):
        ran = bench.run("release", "let-go", "-o", "json")
        assert ran.code == 0, ran.err
        assert ran.json["pool"]["released"] is True


def test_release_of_one_job_needs_no_database(bench: Bench, tmp_path_factory: pytest.TempPathFactory):
    """A pool is released by its job's name, from a machine that never saw the loop."""
    assert bench.run("start", bench.loop("elsewhere", BROKEN)).code == 10
    job = bench.document("elsewhere")["jobs"][0]["name"]
    assert row_of(bench, job)["holder"] == "handoff"
    other = Bench(tmp_path_factory.mktemp("other"), bench.url)
    ran = other.run("release", "--job", job, "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["released"][0]["job"] == job
    assert not other.database.exists()
    assert row_of(bench, job) is None


def test_release_takes_a_loop_or_a_job(finished: Bench):
    """Neither and both are bad usage."""
    assert finished.run("release").code == 2
    assert finished.run("release", "sweep", "--job", "x").code == 2
