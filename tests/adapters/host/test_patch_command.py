"""The program of the user's: how it is run, and how it ends."""

from __future__ import annotations

import os
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from wpfsm.adapters.host.patch_command import LATE, NOT_STARTED, STOPPED, Subprocess

PACKET = {"diagnosis": {"class": "script_error"}, "filler": "x" * 300_000}


def program(folder: Path, text: str) -> list[str]:
    path = folder / "mend.py"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return ["./mend.py"]


def test_it_gets_the_packet_and_edits_the_folder_it_is_in(tmp_path: Path) -> None:
    """A relative program is beside the loop file, wherever the copy of the source is."""
    copy = tmp_path / "copy"
    copy.mkdir()
    words = program(tmp_path, "import json, os, sys\np = json.load(sys.stdin)\n"
                    "open('seen', 'w').write(p['diagnosis']['class'] + os.environ['WPFSM_SOURCE'])")  # fmt: skip
    assert Subprocess(str(tmp_path)).run(words, PACKET, str(copy), 30) == 0
    assert (copy / "seen").read_text() == f"script_error{copy}"


def test_its_exit_code_is_passed_on(tmp_path: Path) -> None:
    """Also when it reads nothing of a packet that no pipe would hold."""
    assert (
        Subprocess(str(tmp_path)).run(program(tmp_path, "raise SystemExit(7)"), PACKET, str(tmp_path), 30)
        == 7
    )


@pytest.mark.parametrize("name", ["./there-is-none", "no-such-program-anywhere"])
def test_one_that_cannot_be_started_is_no_crash(tmp_path: Path, name: str) -> None:
    """127, as from a shell."""
    assert Subprocess(str(tmp_path)).run([name], PACKET, str(tmp_path), 30) == NOT_STARTED


@dataclass
class Asked:
    """Somebody asked the controller to stop."""

    reason: Literal["", "interrupted", "terminated"] = "terminated"


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux waits for any process")
@pytest.mark.parametrize(("stop", "seconds", "code"), [(None, 1.5, LATE), (Asked(), 60.0, STOPPED)])
def test_it_ends_with_all_that_it_started(
    tmp_path: Path, stop: Asked | None, seconds: float, code: int
) -> None:
    """When it is late, and when the loop has to stop: no child of it runs on and edits a copy that is gone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = program(tmp_path, f"import subprocess\nsubprocess.run(['sh', '-c', 'exec 3> {pipe}; sleep 600'])")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    began = time.monotonic()
    assert Subprocess(str(tmp_path), stop).run(words, PACKET, str(tmp_path), seconds) == code
    assert time.monotonic() - began < 30
    assert select.select([reader], [], [], 10)[0] == [reader] or code == STOPPED
    assert os.read(reader, 1) == b"", "nobody holds the other end"
    os.close(reader)
