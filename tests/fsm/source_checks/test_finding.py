"""How a finding is written."""

from __future__ import annotations

import pytest

from wpfsm.fsm.source_checks.finding import SourceFinding


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [("train.py", 3, "train.py:3: wrong"), ("train.py", 0, "train.py: wrong"), ("", 0, "wrong")],
)
def test_the_place_stands_before_the_text(file: str, line: int, said: str) -> None:
    """As editors and compilers write it, as far as it is known."""
    assert str(SourceFinding("imports", "wrong", file, line)) == said
