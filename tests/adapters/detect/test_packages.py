"""Which package, and which version of it."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.detect import detect


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("upgrade torch 2.3 -> 2.5 and rerun until it trains", "2.5"),
        ("swap torch 2.3 for 2.5.1 and rerun until it trains", "2.5.1"),
        ("fix the import error: rerun with torch==2.4.1+cu121 until it trains", "2.4.1+cu121"),
        ("pin torch below 2.4 and rerun until it trains", "<2.4"),
    ],
)
def test_the_version_is_the_one_asked_for(text: str, version: str) -> None:
    """Of a move from one version to another it is the second."""
    assert detect(text).trials == [{"packages": ["torch"], "versions": {"torch": version}}]
