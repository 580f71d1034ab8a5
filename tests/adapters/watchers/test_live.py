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

from cli_bench import OK, WPFSM, Bench


def on_a_terminal(bench: Bench, *words: str, columns: int = 100) -> tuple[int, str, str]:
    """Run the program with a terminal as stderr: exit code, stdout, and what reached the terminal."""
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
    script = "print('eval_loss=0.75', flush=True); print('one line of the log', flush=True); time.sleep(1.2)"
    file = bench.loop("live", script)
    code, out, raw = on_a_terminal(bench, "start", str(file), "-o", "json")
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
