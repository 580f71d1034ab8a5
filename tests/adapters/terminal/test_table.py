"""What a person sees at a terminal of a given width: whole columns, whole words, commands to copy."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest
from cli_bench import WPFSM, Bench


def seen(bench: Bench, columns: int, *words: str) -> list[str]:
    """The lines that the program writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in bench.environment.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [WPFSM, *words], cwd=bench.folder, env={**environment, "TERM": "xterm"}, stdin=subprocess.DEVNULL,
        stdout=theirs, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # Linux: the last writer has closed its end
        pass
    os.close(ours)
    assert process.wait(30) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).splitlines()  # colours take no room


@pytest.mark.parametrize("columns", [80, 100, 160])
@pytest.mark.parametrize("words", [["inspect"], ["inspect", "sweep"]])
def test_tables_and_sentences_fit_the_terminal(finished: Bench, columns: int, words: list[str]):
    """No line is broken by the terminal; a command is one line, so that it can be copied."""
    lines = seen(finished, columns, *words)
    assert [line for line in lines if len(line) > columns and not line.startswith("next ")] == []
    assert any("sweep-" in line for line in lines)


def test_a_narrow_table_keeps_what_matters(finished: Bench):
    """Times give way first; number, start, status, metric, cost and the reason of a failure stay."""
    text = "\n".join(seen(finished, 80, "inspect", "broken"))
    for word in ("JOB", "START", "STATUS", "eval_loss", "COST", "missing_module"):
        assert word in text


def test_a_pipe_gets_whole_lines(finished: Bench):
    """What is not read by a person is not shortened."""
    whole = finished.run("inspect", "sweep", COLUMNS="40").out
    for column in ("CHANGED", "STARTUP", "TRAINING", "IDLE"):
        assert column in whole
    assert "…" not in whole
