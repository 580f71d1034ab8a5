"""What is wrong with a loop file is named where it was written: line, key and fix."""

from __future__ import annotations

import pytest
from loop_files import CASES, GOOD, refusal


@pytest.mark.parametrize(("old", "new", "said"), CASES.values(), ids=CASES)
def test_the_message_names_line_key_and_reason(old: str, new: str, said: str):
    """What is wrong is named where it was written, and what to write instead."""
    assert old in GOOD
    error = refusal(GOOD.replace(old, new, 1))
    assert said in str(error)
    assert str(error).startswith("loop.yaml: ")
    assert error.exit_code == 2
    assert error.fix


def test_every_problem_is_told_at_once():
    """Two mistakes are two lines, in the order of the file."""
    error = refusal(GOOD.replace("keep_alive", "keepalive").replace("goal: minimize", "goal: min"))
    first, second = str(error).splitlines()
    assert "line 6" in first
    assert "line 11" in second
