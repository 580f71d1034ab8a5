"""Databases of every released schema with a loop in every state; ``python tests/crash/crash_dumps.py`` adds this one's.

A dump is made once, when a schema is released, and kept: what it says about the service is made again by
creating its jobs at the emulator.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from crash_stories import JOB, METRIC, NUMPY, POOL, grid, learns
from crash_world import LOOP_ID, Crash, Story, World, wire

from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import State
from wpfsm.fsm.request.compose import compose
from wpfsm.state.database import SCHEMA_VERSION
from wpfsm.state.pragmas import APPLICATION_ID

FOLDER = Path(__file__).parent / "dumps"
PLAIN = Story(
    loop_file={"pool": POOL, "job": JOB, "metric": METRIC, "strategy": grid(1, 3)},
    script=learns,
    source=NUMPY,
)
MOMENTS = {
    State.PREFLIGHT: "before commit checked",
    State.SUBMITTING: "before call service.create",
    State.RUNNING: "after commit settled",
    State.DIAGNOSING: "after commit ended",
    State.VERIFYING: "after commit proceed",
    State.RELEASING: "after commit release",
    State.CLOSED: "after commit released",
}
"""Where the controller of each dump was killed, the first time that it came there."""


def dumps() -> list[Path]:
    """Every dump there is."""
    return sorted(FOLDER.glob("*/*.sql"))


def load(world: World, dump: Path) -> None:
    """Put a dump in the place of a world's database, and its jobs into the emulator's records."""
    world.database.unlink()
    with contextlib.closing(sqlite3.connect(world.database)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    world.reopen()
    wire().emulator = world.emulator
    with world.history() as history:
        jobs = [job for job in history.jobs(LOOP_ID) if job.arn]
        state = history.find(LOOP_ID).state
    running, closed = state is State.RUNNING, state is State.CLOSED
    sagemaker: Any = wire().clients.sagemaker
    for job in jobs:
        sagemaker.create_training_job(**compose(base(world), job.request))
        world.emulator.advance(10 if running and job is jobs[-1] else 60)
    if closed:
        sagemaker.update_training_job(
            TrainingJobName=jobs[-1].name, ResourceConfig={"KeepAlivePeriodInSeconds": 0}
        )
        world.emulator.advance(60)


def base(world: World) -> Request:
    """The rendered request of the loop's one source."""
    with contextlib.closing(world.connect()) as connection:
        request: Request = json.loads(connection.execute("select request from rendered").fetchone()[0])
    return request


def make() -> None:
    """Write the dumps of the present schema."""
    folder = FOLDER / str(SCHEMA_VERSION)
    folder.mkdir(parents=True, exist_ok=True)
    for state, moment in MOMENTS.items():
        world = World(PLAIN)
        with contextlib.suppress(Crash):
            world.finish(lambda name, moment=moment: _die(name == moment))  # type: ignore[misc]
        with contextlib.closing(world.connect()) as connection:
            assert connection.execute("select state from loops").fetchone()[0] == state
            lines = [*connection.iterdump(), f"pragma application_id = {APPLICATION_ID};",
                     f"pragma user_version = {SCHEMA_VERSION};"]  # fmt: skip
        text = "\n".join(lines).replace(str(world.folder), "/home/somebody/loops")
        (folder / f"{state}.sql").write_text(f"{text}\n", encoding="utf-8")
        world.close()


def _die(now: bool) -> None:
    if now:
        raise Crash


if __name__ == "__main__":
    make()
