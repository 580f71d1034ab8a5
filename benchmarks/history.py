"""A long history: 10,000 loops with 100 jobs and 30 events each, against a database with one loop."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from common import ROOT, Result, wall

from wpfsm.fsm.records import Event, Job, Loop, Owner, State, Trial
from wpfsm.state import codec
from wpfsm.state.database import create_or_open
from wpfsm.state.store import LoopStore, take_over

LOOPS, JOBS, EVENTS = 10_000, 100, 30
PROGRAM = str(ROOT / ".venv" / "bin" / "wpfsm")
LOOP_FILE = {
    "version": 1, "name": "bench", "backend": "local", "region": "us-east-1",
    "pool": {"instance_type": "ml.g6e.2xlarge", "instance_count": 1, "keep_alive": "10m", "price_per_hour": 2.8},
    "job": {"source": "src", "entry": "train.py", "max_runtime": "30m", "hyperparameters": {"epochs": 3}},
    "metric": {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"},
    "strategy": {"type": "sweep", "method": "grid", "parameters": {"n": list(range(JOBS))}},
    "limits": {}, "forecast": {},
}  # fmt: skip


def measure() -> Result:
    """The same verbs on both databases."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        small, large = Path(folder) / "small.db", Path(folder) / "large.db"
        fill(small, 1)
        fill(large, LOOPS)
        rows = []
        worst = 0.0
        for name, run in (
            ("inspect", lambda db: wall([PROGRAM, "inspect", "--db", str(db)], runs=5)),
            ("inspect LOOP", lambda db: wall([PROGRAM, "inspect", "bench-00000", "--db", str(db)], runs=5)),
            ("load for resume", load),
        ):
            few, many = run(small), run(large)
            worst = max(worst, many / few)
            rows.append((name, f"{few * 1000:.1f} ms", f"{many * 1000:.1f} ms", f"{many / few:.2f}"))
        size = large.stat().st_size
        with sqlite3.connect(large) as connection:
            text = connection.execute("select avg(length(why) + length(data) + 40) from events").fetchone()[0]
    return Result(
        "A long history",
        f"{LOOPS:,} loops with {JOBS} jobs and {EVENTS} events each ({size / 1e9:.2f} GB, "
        f"{size / LOOPS / (JOBS + EVENTS):.0f} bytes a row of job or event; an event holds about {text:.0f} bytes).",
        ["", "1 loop", f"{LOOPS:,} loops", "ratio"],
        rows,
        goal="within 2 times",
        met=worst <= 2,
        data={"bytes": size, "worst_ratio": worst, "bytes_per_event": text},
    )


def load(database: Path) -> float:
    """Open, take over, read what a resume reads first; median of nine."""
    taken = []
    for _ in range(9):
        began = time.perf_counter()
        connection = create_or_open(database)
        epoch = take_over(connection, database, "bench-00000", Owner("here", 1, 1.0, 1.0))
        store = LoopStore(connection, database, "bench-00000", epoch)
        store.loop(), store.trials(), store.jobs(), store.intents(), store.obligations()
        taken.append(time.perf_counter() - began)
        connection.close()
    return sorted(taken)[4]


def fill(path: Path, loops: int) -> None:
    """Write closed loops, without waiting for the disk: it is the reading that is measured."""
    create_or_open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("pragma synchronous = off")
    template = Loop(
        id="", name="bench", state=State.CLOSED, backend="local", region="us-east-1", created_at=0.0, updated_at=0.0,
        loop_file=LOOP_FILE, why="100 of 100 trials completed", outcome="completed", closed_at=10.0,  # type: ignore[arg-type]
    )  # fmt: skip
    for number in range(loops):
        name = f"bench-{number:05d}"
        loop = replace(template, id=name, created_at=float(number), updated_at=float(number))
        _many(connection, [loop])
        _many(
            connection,
            [Trial(name, n, {"n": n}, f"n={n}", "completed", metric=0.5) for n in range(1, JOBS + 1)],
        )
        _many(connection, [_job(name, n) for n in range(1, JOBS + 1)])
        _many(connection, [
            Event(name, n, float(n), "observed", "Running", "Running", f"{name}-001 is InProgress (Training)",
                  {"job": f"{name}-001", "status": "InProgress"})
            for n in range(1, EVENTS + 1)
        ])  # fmt: skip
        if number % 500 == 499:
            connection.commit()
    connection.commit()
    connection.close()


def _job(loop: str, number: int) -> Job:
    return Job(
        loop_id=loop, number=number, trial=number, name=f"{loop}-{number:03d}", params={"n": number, "epochs": 3},
        request={"TrainingJobName": f"{loop}-{number:03d}", "HyperParameters": {"n": str(number)}},
        request_digest="0123456789abcdef", source_digest="0123456789abcdef", keep_alive=600.0, max_runtime=1800.0,
        arn=f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{loop}-{number:03d}", status="Completed",
        secondary_status="Completed", created_at=1.0, started_at=2.0, ended_at=3.0, startup_seconds=1.0,
        training_seconds=1.0, billable_seconds=1.0, retained_seconds=0.0, pool_status="Reused", start="warm",
        metrics={"loss": 0.5},
    )  # fmt: skip


def _many(connection: sqlite3.Connection, rows: list[codec.Record]) -> None:
    connection.executemany(codec.upsert(type(rows[0])), [codec.encode(row) for row in rows])
