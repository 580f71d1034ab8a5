"""Which watchers a verb gets, and what only watching needs."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from cli_bench import OK, WPFSM, Bench


def test_a_dumb_terminal_gets_plain_lines(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Where nothing can be drawn there are lines, without any control sequence."""
    file = bench.loop("dumb", OK)
    environment = bench.environment
    monkeypatch.setattr(Bench, "environment", property(lambda _: environment))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [WPFSM, "start", str(file)], cwd=bench.folder, env={**environment, "TERM": "dumb"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert process.wait(30) == 0
    assert b"\x1b" not in seen
    assert b"Closed" in seen


def test_a_verb_that_only_reads_imports_no_drawing():
    """Watching is for drivers: nothing of it slows ``inspect`` down."""
    code = "import sys, wpfsm.adapters.verbs.inspect; print([m for m in ('rich', 'structlog', 'plotly') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
