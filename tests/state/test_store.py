"""A transaction of the database; what every store promises is in test_store_contract."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from state_rows import LOOP, owned

from wpfsm.fsm.errors import StoreError
from wpfsm.state.database import open_existing
from wpfsm.state.store import request_stop, transaction


def test_a_transaction_has_the_database_from_its_beginning(tmp_path: Path) -> None:
    """A writer never reads what another one is about to change: it waits before its first statement, or is refused."""
    path = tmp_path / "w.db"
    with owned(path) as (connection, _), contextlib.closing(open_existing(path, write=True)) as other:
        other.execute("pragma busy_timeout = 0")
        with transaction(connection, path), pytest.raises(StoreError, match="another process holds it"):
            request_stop(other, path, LOOP.id, 1.0)
        request_stop(other, path, LOOP.id, 1.0)
