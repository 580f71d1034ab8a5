"""What nobody else on the machine may read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.fsm.ports import LogLine
from wpfsm.state.database import create_or_open
from wpfsm.state.leases import acquire
from wpfsm.state.paths import siblings


@pytest.fixture
def open_handed() -> Iterator[None]:
    """A user whose umask hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_handed")
def test_everything_beside_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    """0700 for each folder and 0600 for each file, whatever the umask."""
    database = tmp_path / "state" / "wpfsm.db"
    create_or_open(database).close()
    acquire(siblings(database, "locks"), "loop-a", what="loop a", holder="a").release()
    FileArchive(siblings(database, "logs")).append("job-1", [LogLine("secret", 0.0, "algo-1")])
    source = tmp_path / "src"
    source.mkdir()
    (source / "train.py").write_text("pass")
    LocalSources(siblings(database, "sources"), tmp_path).snapshot("src")
    made = [database.parent, *database.parent.rglob("*")]
    outside = {path.relative_to(tmp_path): oct(path.stat().st_mode & 0o777) for path in made
               if "sources" not in path.parts and path.stat().st_mode & 0o077}  # fmt: skip
    assert len(made) > 6
    assert outside == {}
    snapshots = siblings(database, "sources")
    assert [oct(path.stat().st_mode & 0o777) for path in (snapshots, *snapshots.iterdir())] == ["0o700"] * 2
