"""Every state that any released version may have left behind is taken up by this one."""

from __future__ import annotations

import contextlib
import importlib.resources
import sqlite3
from pathlib import Path

import pytest
from crash_checks import violations
from crash_dumps import MOMENTS, PLAIN, dumps, load
from crash_world import LOOP_ID, World

from wpfsm.fsm.records import State
from wpfsm.state.database import SCHEMA_VERSION, create_or_open, open_existing


def schema(connection: sqlite3.Connection) -> list[str]:
    """Every table and index, as it was made."""
    rows = connection.execute("select sql from sqlite_master where sql is not null order by name")
    return [str(row[0]) for row in rows]


def test_every_state_of_every_version_is_there() -> None:
    """A schema cannot be released without a dump of each state."""
    assert set(MOMENTS) == set(State)
    expected = {(str(version), state) for version in range(1, SCHEMA_VERSION + 1) for state in State}
    assert {(path.parent.name, path.stem) for path in dumps()} == expected
    scripts = importlib.resources.files("wpfsm.state").joinpath("sql")
    assert len(list(scripts.iterdir())) == SCHEMA_VERSION


@pytest.mark.parametrize("dump", dumps(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_loop_of_any_version_and_state_is_driven_to_closed(dump: Path) -> None:
    """Migrated and resumed, it makes the jobs that are missing, and only those, and releases."""
    world = World(PLAIN)
    load(world, dump)
    result = world.finish()
    assert list(violations(world, result)) == []
    assert (result.loop.state, result.exit_code) == (State.CLOSED, 0)
    assert world.emulator.created() == [f"{LOOP_ID}-001", f"{LOOP_ID}-002"]
    world.close()


@pytest.mark.parametrize("dump", dumps(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_migrated_schema_is_the_fresh_one(tmp_path: Path, dump: Path) -> None:
    """All migrations on an old database give what a new one gets."""
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    with contextlib.closing(open_existing(path, write=True)) as old, contextlib.closing(
        create_or_open(tmp_path / "new.db")
    ) as new:  # fmt: skip
        assert schema(old) == schema(new)
        assert old.execute("pragma user_version").fetchone()[0] == SCHEMA_VERSION
