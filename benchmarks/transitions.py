"""Durable transitions a second, one commit each: the machine and the store, against DBOS on SQLite.

Ours: a transition as the controller commits it (machine, guards, loop row, event row, epoch check). DBOS: one
step of a workflow. Both with the journal mode and the durability that our store sets. How much of it is the disk
two figures tell: the same two rows with ``sqlite3`` alone, and append and fdatasync of a page.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import PYTHON, ROOT, Result

from wpfsm.fsm.machine import MachineModel, advance
from wpfsm.fsm.records import Change, Loop, Owner, State
from wpfsm.state.database import create_or_open
from wpfsm.state.pragmas import WAL_IS_SAFE
from wpfsm.state.store import LoopStore, create_loop, take_over

COUNT, ROUNDS = 400, 5
JOURNAL = "wal" if WAL_IS_SAFE else "truncate"
PEER = """
import os, sys, time
from dbos import DBOS
from sqlalchemy import event
from sqlalchemy.engine import Engine
folder, count, journal = sys.argv[1], int(sys.argv[2]), sys.argv[3]
@event.listens_for(Engine, "connect")
def durable(connection, _):
    connection.execute(f"pragma journal_mode = {journal}")
    connection.execute("pragma synchronous = extra")
DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{folder}/dbos.sqlite", "log_level": "ERROR",
             "run_admin_server": False})
@DBOS.step()
def step(n): return n
@DBOS.workflow()
def work(count):
    began = time.perf_counter()
    for n in range(count): step(n)
    return time.perf_counter() - began
DBOS.launch()
work(20)
print("seconds", work(count))
DBOS.destroy()
"""


def measure() -> Result:
    """Interleaved rounds, medians."""
    peer = _peer_python()
    ours, theirs, plain, disk = [], [], [], []
    for _ in range(ROUNDS):
        ours.append(_ours())
        theirs.append(_dbos(peer))
        plain.append(_plain())
        disk.append(_disk())
    mine, other, rows, raw = (statistics.median(rates) for rates in (ours, theirs, plain, disk))
    needed = 4 if WAL_IS_SAFE else 2
    mode = "write-ahead log" if WAL_IS_SAFE else "rollback journal (this SQLite is older than 3.51.3)"
    return Result(
        "Durable transitions",
        f"{COUNT} transitions, {ROUNDS} interleaved rounds, medians; {mode}.",
        ["", "a second", "ratio to DBOS"],
        [
            ("wpfsm transition", f"{mine:.0f}", f"{mine / other:.1f}"),
            ("DBOS step", f"{other:.0f}", "1.0"),
            ("two rows with sqlite3 alone", f"{rows:.0f}", f"{rows / other:.1f}"),
            ("append 4 KB and fdatasync", f"{raw:.0f}", f"{raw / other:.1f}"),
        ],
        goal=f"at least {needed} times DBOS",
        met=mine >= needed * other,
        data={"wpfsm": ours, "dbos": theirs, "sqlite3": plain, "disk": disk, "wal": WAL_IS_SAFE},
    )


def _ours() -> float:
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        path = Path(folder) / "w.db"
        connection = create_or_open(path)
        loop = Loop(
            id="bench-1", name="bench", state=State.VERIFYING, backend="local", region="us-east-1", created_at=1,
            updated_at=1, loop_file={},
        )  # fmt: skip
        create_loop(connection, path, loop, "benchmark")
        store = LoopStore(
            connection, path, loop.id, take_over(connection, path, loop.id, Owner("here", 1, 1, 1))
        )
        cycle = ("verified", "rejected", "proceed")
        state = loop.state
        began = time.perf_counter()
        for number in range(COUNT):
            kind = cycle[number % 3]
            state = advance(MachineModel(state), kind)
            state = store.commit(Change(kind=kind, why="benchmark", at=float(number)), state=state).state
        taken = time.perf_counter() - began
        connection.close()
    return COUNT / taken


def _dbos(python: str) -> float:
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", PEER, folder, str(COUNT), JOURNAL],
            capture_output=True,
            text=True,
            check=True,
        )
    return COUNT / float(
        next(line for line in done.stdout.splitlines() if line.startswith("seconds")).split()[1]
    )


def _plain() -> float:
    """The floor: a row that is updated and one that is inserted, and nothing else."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        connection = sqlite3.connect(Path(folder) / "p.db", isolation_level=None)
        connection.execute(f"pragma journal_mode = {JOURNAL}")
        connection.execute("pragma synchronous = extra")
        connection.execute("create table loops (id text primary key, state text)")
        connection.execute("create table events (seq integer primary key, text text)")
        connection.execute("insert into loops values ('a', '')")
        began = time.perf_counter()
        for number in range(COUNT):
            connection.execute("begin immediate")
            connection.execute("update loops set state = ? where id = 'a'", (str(number),))
            connection.execute("insert into events values (?, 'benchmark')", (number,))
            connection.execute("commit")
        taken = time.perf_counter() - began
        connection.close()
    return COUNT / taken


def _disk() -> float:
    with tempfile.NamedTemporaryFile(dir=ROOT) as file:
        began = time.perf_counter()
        for _ in range(COUNT):
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
        return COUNT / (time.perf_counter() - began)


def _peer_python() -> str:
    """DBOS in an environment of its own, from the pinned and hashed file."""
    folder = ROOT / ".venv" / "bench-peer"
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        subprocess.run([PYTHON, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(ROOT / "benchmarks" / "requirements.txt")],
            check=True, stdout=sys.stderr,
        )  # fmt: skip
        (folder / ".installed").touch()
    return str(python)
