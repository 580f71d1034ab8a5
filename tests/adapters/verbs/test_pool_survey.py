"""Whose each warm pool of an account is, and what it burns."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from cli_in_process import make_pool, verdicts, wpfsm
from watched_world import TYPE, Watched

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.fsm.request.compose import LOOP_TAG
from wpfsm.state.database import create_or_open
from wpfsm.state.leases import acquire
from wpfsm.state.paths import siblings


def test_pools_say_who_holds_what_and_what_it_burns(
    folder: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """A stranger's pool, one of a loop that this database does not know, one of a live loop: told apart, priced."""
    make_pool(sagemaker_emulator, "theirs")
    make_pool(sagemaker_emulator, "elsewhere-1a2b3c-001", EnableNetworkIsolation=True,
              Tags=[{"Key": LOOP_TAG, "Value": "elsewhere-1a2b3c"}])  # fmt: skip
    ran = wpfsm("pools", "-o", "json")
    assert ran.code == 0
    rows = {row["job"]: row for row in ran.document["pools"]}
    assert {job: row["holder"] for job, row in rows.items()} == {
        "theirs": "stranger",
        "elsewhere-1a2b3c-001": "unknown",
    }
    price = rows["theirs"]["burn_usd_per_hour"] / 2
    assert price > 0
    assert ran.document["idle_burn_usd_per_hour"] == pytest.approx(4 * price)
    assert rows["theirs"]["instance_count"] == 2
    assert rows["theirs"]["expires_at"] is not None
    page = wpfsm("pools").out
    assert f"2 x {TYPE}" in page
    assert "elsewhere-1a2b3c" in page
    assert f"idle pools burn ${4 * price:.2f}/h" in page
    orphans = wpfsm("doctor", "-o", "json")
    assert verdicts(orphans)["orphans"] == "warn"
    assert "elsewhere-1a2b3c-001" in orphans.out


def test_pools_tell_live_loops_from_dead_ones(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A pool in use by a loop whose controller holds its lock is live; without the lock it is dead."""
    world = Watched()
    with (
        contextlib.closing(create_or_open(folder / "wpfsm.db")) as connection,
        contextlib.closing(world.connect()) as other,
    ):
        row = other.execute("select * from loops").fetchone()
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert into loops values ({marks})", tuple(row))
        connection.commit()
    make_pool(sagemaker_emulator, "story-001", does="sleep 60", Tags=[{"Key": LOOP_TAG, "Value": "story"}])
    locks = siblings(folder / "wpfsm.db", "locks")
    lease = acquire(locks, "loop-story", what="loop story", holder="story")
    (live,) = wpfsm("pools", "-o", "json").document["pools"]
    lease.release()
    (dead,) = wpfsm("pools", "-o", "json").document["pools"]
    assert (live["status"], live["holder"], dead["holder"]) == ("InUse", "live", "dead")
    assert live["idle_seconds"] is None
    sagemaker_emulator.sagemaker.stop_training_job(TrainingJobName="story-001")
