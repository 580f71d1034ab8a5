"""``pools``: who holds what, and what it burns an hour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, Bench
from cli_in_process import wpfsm

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator


def test_pools_without_any(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """An account without pools burns nothing, and needs no database."""
    ran = wpfsm("pools", "-o", "json")
    assert ran.code == 0
    assert ran.document["pools"] == []
    assert ran.document["idle_burn_usd_per_hour"] == 0
    assert wpfsm("pools").out == "no warm pool here\n"


def row_of(bench: Bench, job: str) -> Any:
    """The row of `pools` for a job; None when there is none."""
    return next((pool for pool in bench.run("pools", "-o", "json").json["pools"] if pool["job"] == job), None)


def test_pools_shows_who_holds_what_and_its_burn(bench: Bench):
    """Each pool with its instances, its loop and what it costs an hour while idle."""
    assert bench.run("start", bench.loop("shown", BROKEN)).code == 10
    document = bench.document("shown")
    row = row_of(bench, document["jobs"][0]["name"])
    assert row["loop"] == document["loop"]["id"]
    assert row["burn_usd_per_hour"] == pytest.approx(0.115)
    assert document["loop"]["id"] in bench.run("pools").out
    assert bench.run("release", "shown").code == 0
