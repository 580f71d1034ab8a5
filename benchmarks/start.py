"""How long a command takes to start, with the SDK and pandas installed beside it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from common import PYTHON, ROOT, WPFSM, Result, emulator, environment, loop_file, start_loop, wall

PROGRAM = str(ROOT / ".venv" / "bin" / "wpfsm")


def measure() -> Result:
    """Whole processes, medians of nine after a warm-up."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with emulator(folder, "--cold-start", "0", "--warm-start", "0") as url:
            start_loop(url, folder / "w.db", loop_file(folder, "true", 3))
            listed = subprocess.run([*WPFSM, "inspect", "-o", "json", "--db", str(folder / "w.db")],
                                    capture_output=True, text=True, env=environment(url), check=True)  # fmt: skip
        loop = json.loads(listed.stdout)["loops"][0]["id"]
        rows = {
            "python -c pass": wall([PYTHON, "-c", "pass"]),
            "wpfsm --version": wall([PROGRAM, "--version"]),
            "wpfsm inspect LOOP": wall([PROGRAM, "inspect", loop, "--db", str(folder / "w.db")]),
            'wpfsm detect "try lr 1e-4, 5e-5"': wall([PROGRAM, "detect", "try lr 1e-4, 5e-5"]),
            "aws --version": wall([str(ROOT / ".venv" / "bin" / "aws"), "--version"]),
        }
    bare = rows["python -c pass"]
    return Result(
        "Start of a command",
        "Wall time of the whole process, median of nine runs after one warm-up; byte code cached.",
        ["command", "seconds", "ratio to an empty Python"],
        [(name, f"{taken:.3f}", f"{taken / bare:.1f}") for name, taken in rows.items()],
        goal="inspect under 0.25 s, --version under 0.1 s, detect under 0.2 s",
        met=rows["wpfsm inspect LOOP"] < 0.25 and rows["wpfsm --version"] < 0.1
        and rows['wpfsm detect "try lr 1e-4, 5e-5"'] < 0.2,
        data=rows,
    )  # fmt: skip
