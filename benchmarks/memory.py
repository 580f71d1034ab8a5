"""Memory of a controller over a loop of a thousand jobs, read from /proc while it runs (Linux)."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from common import WPFSM, Result, emulator, environment, loop_file, rss_mb

JOBS = 1000
MARKS = (50, 250, 500, 750, 1000)


def measure() -> Result:
    """One loop, its resident memory at five points."""
    seen: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        file = loop_file(folder, "true", JOBS)
        with emulator(folder, "--cold-start", "0", "--warm-start", "0") as url:
            controller = subprocess.Popen(
                [*WPFSM, "start", str(file), "--db", str(folder / "w.db"), "-o", "json"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(url),
            )  # fmt: skip
            began = time.monotonic()
            while controller.poll() is None:
                jobs = _jobs(folder / "w.db")
                for mark in MARKS:
                    if jobs >= mark and mark not in seen:
                        seen[mark] = rss_mb(controller.pid)
                time.sleep(0.05)
            taken = time.monotonic() - began
    growth = seen[MARKS[-1]] - seen[MARKS[0]]
    return Result(
        "Memory of a controller",
        f"A loop of {JOBS} jobs that do nothing ({taken / JOBS * 1000:.0f} ms a job in all); resident memory.",
        ["jobs so far", "MB"],
        [(str(mark), f"{value:.0f}") for mark, value in sorted(seen.items())],
        goal="flat, under 100 MB",
        met=max(seen.values()) < 100 and growth < 10,
        data={"rss_mb": seen, "seconds": taken},
    )


def _jobs(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return int(connection.execute("select count(*) from jobs").fetchone()[0])
    except sqlite3.Error:
        return 0
