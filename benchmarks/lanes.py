"""24 ten-minute trials on 1, 2, 4 and 8 lanes: wall time, cost, cold starts, calls to the service a job.

On the emulator's scaled clock (50 times faster than the wall's), with a process for each lane, as `wpfsm start` drives
them. One lane takes five minutes even so, and nearly all of it is waiting: the other sweeps run beside it,
one after another, each against an emulator and in a database of its own. ``WPFSM_BENCH_TRIALS`` and
``WPFSM_BENCH_SCALE`` make it smaller, to try it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Result, emulator, loop_file, records, start_loop

from wpfsm.adapters.documents.rows import ledger_of
from wpfsm.state.history import History

TRIALS, SCALE = (
    int(os.environ.get("WPFSM_BENCH_TRIALS", "24")),
    float(os.environ.get("WPFSM_BENCH_SCALE", "50")),
)
COLD, WARM, TRAIN = 300, 20, 600
LANES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Run:
    """What one sweep came to. Seconds are the emulator's."""

    wall: float
    cost: float
    cold: int
    calls: float


def measure() -> Result:
    """The same sweep on each number of lanes: the longest beside the others, which follow one another."""
    with ThreadPoolExecutor(1) as beside:
        longest = beside.submit(_run, LANES[0])
        others = {count: _run(count) for count in LANES[1:]}
        runs = {LANES[0]: longest.result(), **others}
    one, four = runs[1], runs[4]
    faster, dearer = one.wall / four.wall, four.cost / one.cost - 1
    result = Result(
        f"{TRIALS} trials on k lanes",
        f"{COLD} s of cold start, {WARM} s of warm start and {TRAIN} s of training on the emulator's clock, {SCALE:g} "
        "times faster than the wall's; a process for each lane on one SQLite file. The sweep on one lane runs beside the "
        "others, which follow one another, so that what slows them slows it too. Dollars at $2.80 an hour, from the "
        "ledger. Calls are those that the emulator recorded, of every operation, over the jobs.",
        ["lanes", "wall", "against one", "cost", "cold starts", "calls a job"],
        goal="four lanes at least 3.2 times faster than one, within 2 % of its cost",
        met=faster >= 3.2 and abs(dearer) <= 0.02,
        data={str(count): vars(run) for count, run in runs.items()},
    )
    result.rows = [
        (
            str(count),
            f"{run.wall / 60:.1f} min",
            f"{one.wall / run.wall:.2f} times as fast",
            f"${run.cost:.2f} ({run.cost / one.cost - 1:+.1%})",
            str(run.cold),
            f"{run.calls:.1f}",
        )
        for count, run in runs.items()
    ]
    return result


def _run(lanes: int) -> Run:
    options = ("--cold-start", str(COLD), "--warm-start", str(WARM), "--time-scale", f"{SCALE:g}")
    with tempfile.TemporaryDirectory() as scratch, emulator(Path(scratch), *options) as url:
        folder = Path(scratch)
        path = loop_file(folder, f"sleep {TRAIN / SCALE}", TRIALS)
        document = start_loop(
            url, folder / "w.db", path, "--lanes", str(lanes), "--set", "pool.keep_alive=30m"
        )
        seen: Any = records(url)
        with contextlib.closing(sqlite3.connect(folder / "w.db")) as connection:
            connection.row_factory = sqlite3.Row
            history = History(connection)
            loop = history.find(document["loop"]["id"])
            jobs = history.jobs(loop.id)
            cost = ledger_of(loop, jobs, time.time()).cost_usd
    assert cost is not None
    assert len(jobs) == TRIALS
    return Run(
        wall=max(job["ended"] for job in seen["jobs"]) - min(job["created"] for job in seen["jobs"]),
        cost=cost,
        cold=sum(job.start == "cold" for job in jobs),
        calls=len(seen["calls"]) / len(jobs),
    )
