"""The page on security names what the program leaves out."""

from __future__ import annotations

from pathlib import Path

from wpfsm.adapters.host.ignore import CLUTTER, SECRETS

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def test_every_pattern_of_the_built_in_list_is_on_the_page() -> None:
    """A list that only the code has is a surprise to whoever misses a file."""
    page = PAGE.read_text(encoding="utf-8")
    missing = [
        pattern
        for pattern in (*CLUTTER, *SECRETS)
        if f"`{pattern.lstrip('!')}`" not in page and pattern != ".git/"
    ]
    assert missing == []
