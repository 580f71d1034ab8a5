"""What an emulator that was killed left running is ended by the next one, whenever it was killed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from wpfsm.adapters.emulator.runner.orphans import end_orphans

KILLED = """
import os, signal, subprocess, sys
from pathlib import Path
from wpfsm.adapters.emulator.runner.orphans import Marker

marker = Marker(Path(sys.argv[1]))
child = subprocess.Popen(
    ["/bin/sh", "-c", "sleep 1000 & echo started; wait"], pass_fds=[marker.descriptor], start_new_session=True
)
if sys.argv[2] == "with-number":
    marker.started(child.pid)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("moment", ["with-number", "without-number"])
def test_a_job_is_ended_whenever_its_emulator_was_killed(tmp_path: Path, moment: str) -> None:
    """Also in the instant in which its process runs and its number is not written yet; its children as well."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), moment],
        stdout=subprocess.PIPE,
        text=True,
    ) as emulator:
        assert emulator.stdout is not None
        assert emulator.stdout.readline() == "started\n"
        emulator.wait(60)
        assert end_orphans(tmp_path) == 1
        assert emulator.stdout.read() == ""  # ends when the last process that inherited it has ended
    assert list(tmp_path.iterdir()) == []


def test_a_marker_of_nobody_is_removed(tmp_path: Path) -> None:
    """An emulator that was killed before it started anything leaves a file that nobody holds."""
    (tmp_path / "marker").write_text("")
    assert end_orphans(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
