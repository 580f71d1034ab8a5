"""What the tests of the store share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import shared_rows
from kept import InSqlite, InTable, Kept
from memory_table import MemoryBlobs, MemoryTable
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


@pytest.fixture(params=["sqlite", "shared", "twin"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """One loop, kept in either, and in the table's twin that other tests go by."""
    with contextlib.ExitStack() as cleanup:
        if request.param == "sqlite":
            yield InSqlite(tmp_path / "w.db", cleanup)
        elif request.param == "twin":
            yield InTable(MemoryTable(), MemoryBlobs())
        else:
            yield InTable(*cleanup.enter_context(shared_rows.shared()))
