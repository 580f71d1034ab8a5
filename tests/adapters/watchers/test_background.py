"""Watching is never in the way of what is watched."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time

import pytest
from cli_bench import OK, WPFSM, Bench

from wpfsm.adapters.watchers.background import Background
from wpfsm.adapters.watchers.base import Watcher
from wpfsm.fsm.ports import LogLine


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="the size of a pipe is Linux's to set")
def test_a_reader_that_never_reads_does_not_hold_up_the_loop(bench: Bench):
    """A full pipe on stderr stops the watcher, not the controller."""
    file = bench.loop("unread", OK)
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"." * (size - 500))
    with subprocess.Popen(
        [WPFSM, "start", str(file)], cwd=bench.folder, env=bench.environment, stderr=writing,
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        os.close(writing)
        assert process.wait(60) == 0
    assert len(os.read(reading, 2 * size)) > size - 100, "the pipe was not filled: nothing was tested"
    os.close(reading)
    assert bench.document("unread")["pool"]["released"] is True


class Stuck(Watcher):
    """Blocks in its first message until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def log(self, line: LogLine) -> None:
        self.go.wait(30)


class Broken(Watcher):
    """Fails in everything."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def metric(self, name: str, value: float) -> None:
        self.calls += 1
        raise self.error

    tick = close = lambda self: self.metric("", 0)


def test_a_stuck_watcher_costs_no_time():
    """Ten thousand lines more than it can hold are taken, and closing waits its patience and no longer."""
    stuck = Stuck()
    watched = Background(stuck, patience=0.2)
    began = time.monotonic()
    for _ in range(20_000):
        watched.log(LogLine(0.0, "s", "text"))
    watched.close()
    assert time.monotonic() - began < 60, "the watcher would be stuck for ever"
    stuck.go.set()


def test_a_broken_watcher_is_reported_once():
    """An error of a watcher reaches the log, once, and the caller never."""
    told: list[Exception] = []
    watched = Background(Broken(ValueError("a bad frame")), told.append)
    for _ in range(50):
        watched.metric("loss", 1.0)
    watched.close()
    assert [str(error) for error in told] == ["a bad frame"]


def test_a_watcher_whose_stream_is_gone_is_left_out():
    """After a broken pipe there is no second try."""
    broken = Broken(BrokenPipeError("gone"))
    watched = Background(broken)
    for _ in range(50):
        watched.metric("loss", 1.0)
    watched.close()
    assert broken.calls <= 3  # the first message, and close, which always comes
