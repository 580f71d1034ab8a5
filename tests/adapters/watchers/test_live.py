"""The live view on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from pathlib import Path

from cli_bench import OK, WPFSM, Bench


def on_a_terminal(
    bench: Bench, *words: str, columns: int = 100, shown: dict[Path, tuple[str, ...]] | None = None
) -> tuple[int, str, str]:
    """Run the program with a terminal as stderr: exit code, stdout, and what reached the terminal.

    Args:
        bench: where it runs.
        words: its command line.
        columns: how wide the terminal is.
        shown: a file is made when all of its words have stood on the screen; a job may wait for it.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**bench.environment, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [WPFSM, *words],
        cwd=bench.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = bytearray()

    def read() -> None:
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other side is gone
                return
            if not chunk:
                return
            seen.extend(chunk)
            screen = without_styles(seen.decode(errors="replace"))
            for file, texts in (shown or {}).items():
                if all(text in screen for text in texts):
                    file.touch()

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=90)
    reader.join(10)
    os.close(ours)
    return process.returncode, out.decode(), seen.decode(errors="replace")


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", text)


def test_the_live_view_shows_what_a_person_needs(bench: Bench):
    """State, job, pool, dollars, worst case, metric, log and what is waited for are on the screen."""
    cold, warm = bench.folder / "cold", bench.folder / "warm"
    script = bench.folder / "job.py"
    script.write_text(f"""
import os
print("eval_loss=0.75", flush=True)
print("one line of the log", flush=True)
shown = {str(cold)!r} if float(h["lr"]) < 0.005 else {str(warm)!r}
while not os.path.exists(shown):
    time.sleep(0.05)
""")
    file = bench.loop("live", f"exec(open({str(script)!r}).read())")
    shown = {
        cold: ("InProgress · Training", "in use, cold start in", "eval_loss 0.75", "one line of the log"),
        warm: ("in use, warm start in",),
    }
    code, out, raw = on_a_terminal(bench, "start", str(file), "-o", "json", shown=shown)
    assert code == 0
    screen = without_styles(raw)
    assert json.loads(out)["loop"]["outcome"] == "completed"
    for words in (
        "trial  1 of 2", "trial  2 of 2", "InProgress · Training", "in use, cold start in", "in use, warm start in",
        "so far", "more if this controller died now", "eval_loss 0.75", "one line of the log",
        "waiting: live-", "to end", "Submitting  checks passed", "Closed      released and read back",
    ):  # fmt: skip
        assert words in screen, words
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l"), "the cursor is given back"


def test_a_long_reason_hangs_below_itself(bench: Bench):
    """What does not fit beside time and state goes on below the reason, not at the left edge."""
    _, _, raw = on_a_terminal(bench, "start", str(bench.loop("hanging", OK)), "-o", "json", columns=60)
    line = re.search(
        r"(\d\d:\d\d:\d\d  Verifying   )trial 1 .*?\r?\n(.*?)\r?\n", without_styles(raw), re.DOTALL
    )
    assert line is not None
    assert line[2].startswith(" " * len(line[1]))
    assert line[2].strip()


def test_nothing_a_job_prints_controls_the_terminal(bench: Bench):
    """Escape sequences of a log are taken out, and its secrets are masked."""
    script = (
        r"print('\x1b]0;owned\x07\x1b[2Jvisible AKIAIOSFODNN7EXAMPLE eval_loss=1', flush=True); time.sleep(1)"
    )
    _, _, raw = on_a_terminal(bench, "start", str(bench.loop("rude", script)))
    assert "visible [redacted] eval_loss=1" in without_styles(raw)
    assert "owned" not in raw
    assert "\x1b[2J" not in raw
