"""What the tests of the store share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from state_rows import owned


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A database with one loop in it."""
    path = tmp_path / "w.db"
    with owned(path):
        pass
    yield path
    if path.exists():
        path.chmod(0o600)
