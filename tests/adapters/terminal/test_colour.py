"""Colour at a terminal, and none anywhere else."""

from __future__ import annotations

import re

import pytest

from wpfsm.adapters.terminal.colour import painted

PAGE = """\
loop digits-1: Closed, completed
why   goal met

JOB  TRIAL     STATUS     NOTE
1    lr=0.001  Completed  * best
2    lr=warm   Failed     cold.py is not warm-up
  | Failed to load
next  wpfsm resume digits-1  # its controller is dead"""


def test_what_is_read_without_colours_is_the_same() -> None:
    """Only styles are added."""
    assert re.sub(r"\x1b\[\d+m", "", painted(PAGE)) == PAGE


@pytest.mark.parametrize(
    ("shown", "there"),
    [
        ("\x1b[32mCompleted\x1b[0m", True),
        ("\x1b[31mFailed\x1b[0m     ", True),
        ("lr=\x1b[32mwarm", False),
        ("\x1b[33mcold\x1b[0m.py", False),
        ("  | Failed to load", True),
        ("\x1b[2mnext\x1b[0m", True),
    ],
)
def test_words_of_states_are_coloured_and_a_logs_are_not(shown: str, there: bool) -> None:
    """A value, a file's name and a line of evidence are not ours to colour."""
    assert (shown in painted(PAGE)) is there
