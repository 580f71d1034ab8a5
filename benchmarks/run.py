"""``make bench``: measure each figure beside its peer in one run; write docs/performance.md and results.json.

Usage: run.py [name ...], where a name is a module of this folder; all of them without one.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import ROOT, Result

NAMES = (
    "gap",
    "brief_loop",
    "lanes",
    "install",
    "transitions",
    "start",
    "history",
    "memory",
    "emulator_speed",
)
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

Measured by `make bench`, which writes this page. Each figure stands beside its peer of the same run; on another
machine read the ratios. Nothing here is a test: a slow machine fails nobody. Nothing was measured against AWS.

"""


def main(names: list[str]) -> None:
    """Measure, and keep what other runs measured of the rest."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        result: Result = importlib.import_module(name).measure()
        kept[name] = {
            **asdict(result),
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
        }
        print(table(result.header, result.rows), file=sys.stderr, flush=True)
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
        PAGE.write_text(page(kept))


def machine() -> str:
    """The machine, without its name."""
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    ) if Path("/proc/cpuinfo").exists() else platform.machine()  # fmt: skip
    return (
        f"{os.cpu_count()} cores ({model}), {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def page(kept: dict[str, Any]) -> str:
    """The whole page from what was measured."""
    parts = [HEAD]
    for name in NAMES:
        if name not in kept:
            continue
        found = kept[name]
        verdict = {True: "met", False: "**not met**", None: "-"}[found["met"]]
        parts.append(
            f"## {found['title']}\n\n{found['method']}\n\n{table(found['header'], found['rows'])}\n\n"
            f"Goal: {found['goal']}: {verdict}. `python benchmarks/run.py {name}`, {found['measured_at'][:10]}, "
            f"{found['machine']}.\n\n"
        )
    return "".join(parts).rstrip() + "\n"


def table(header: Any, rows: Any) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    main(sys.argv[1:])
