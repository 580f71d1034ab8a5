"""A duration on the command line."""

from __future__ import annotations

import pytest
from cli_bench import Bench


@pytest.mark.parametrize("words", [["stop", "broken", "--timeout", "soon"], ["gc", "--older-than", "ages"]])
def test_a_duration_that_is_none(finished: Bench, words: list[str]):
    """The option is named, with how to write it."""
    ran = finished.run(*words)
    assert ran.code == 2, ran.err
    assert "write 90s, 10m or 1h" in ran.err
