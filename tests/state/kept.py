"""Where the loops of the contract are kept: SQLite's file, or the shared table."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Protocol

import shared_rows
import state_rows
from state_rows import LOOP

from wpfsm.fsm.ports import History, Store
from wpfsm.fsm.records import Loop, Proposal
from wpfsm.state import store as sqlite
from wpfsm.state.database import open_existing
from wpfsm.state.history import History as SqliteHistory
from wpfsm.state.shared import loops as shared
from wpfsm.state.shared.history import SharedHistory
from wpfsm.state.shared.store import SharedStore
from wpfsm.state.shared.table import Blobs, Table


class Kept(Protocol):
    """Where one loop is kept, and who comes to it."""

    def again(self, *, at: float = 100.0, forget_stop: bool = False) -> Store:
        """The next owner of the loop."""
        ...

    def of(self, loop_id: str) -> Store:
        """A store of a loop that may not be there."""
        ...

    def create(self, loop: Loop) -> None:
        """Somebody makes a loop."""
        ...

    def request_stop(self, loop_id: str = LOOP.id) -> None:
        """Another process or machine asks the loop to stop."""
        ...

    def history(self) -> History:
        """What the reading verbs read."""
        ...

    def create_group(self, first: Loop, *others: Loop) -> None:
        """Somebody makes a group of lanes."""
        ...

    def lane(self, loop_id: str, *, at: float = 100.0, forget_stop: bool = False) -> Store:
        """The next owner of a lane."""
        ...

    def propose(self, proposal: Proposal) -> Proposal:
        """Somebody proposes a trial."""
        ...


class InSqlite:
    """A database on this machine."""

    def __init__(self, path: Path, cleanup: contextlib.ExitStack) -> None:
        self._path, self._cleanup = path, cleanup
        self._connection = cleanup.enter_context(state_rows.owned(path))[0]

    def again(self, *, at: float = 100.0, forget_stop: bool = False) -> Store:
        return self._cleanup.enter_context(state_rows.again(self._path, at=at, forget_stop=forget_stop))

    def of(self, loop_id: str) -> Store:
        return sqlite.LoopStore(self._connection, self._path, loop_id, 1)

    def create(self, loop: Loop) -> None:
        sqlite.create_loop(self._connection, self._path, loop, "from another file")

    def request_stop(self, loop_id: str = LOOP.id) -> None:
        with contextlib.closing(open_existing(self._path, write=True)) as other:
            sqlite.request_stop(other, self._path, loop_id, 101.0)

    def history(self) -> History:
        return SqliteHistory(self._connection)

    def create_group(self, first: Loop, *others: Loop) -> None:
        sqlite.create_loop(self._connection, self._path, first, "from a file", siblings=others)

    def lane(self, loop_id: str, *, at: float = 100.0, forget_stop: bool = False) -> Store:
        connection = self._cleanup.enter_context(contextlib.closing(open_existing(self._path, write=True)))
        if forget_stop:
            sqlite.forget_stop(connection, self._path, loop_id)
        epoch = sqlite.take_over(connection, self._path, loop_id, state_rows.owner(loop_id, at))
        return sqlite.LoopStore(connection, self._path, loop_id, epoch)

    def propose(self, proposal: Proposal) -> Proposal:
        return sqlite.propose(self._connection, self._path, proposal)


class InTable:
    """A shared table."""

    def __init__(self, table: Table, blobs: Blobs) -> None:
        self._table, self._blobs = table, blobs
        shared.create_loop(table, blobs, LOOP, "from a file")

    def again(self, *, at: float = 100.0, forget_stop: bool = False) -> Store:
        return shared_rows.again(self._table, self._blobs, at=at, forget_stop=forget_stop)

    def of(self, loop_id: str) -> Store:
        return SharedStore(self._table, self._blobs, loop_id, 1)

    def create(self, loop: Loop) -> None:
        shared.create_loop(self._table, self._blobs, loop, "from another file")

    def request_stop(self, loop_id: str = LOOP.id) -> None:
        shared.request_stop(self._table, loop_id, 101.0)

    def history(self) -> History:
        return SharedHistory(self._table, self._blobs)

    def create_group(self, first: Loop, *others: Loop) -> None:
        shared.create_loop(self._table, self._blobs, first, "from a file", siblings=others)

    def lane(self, loop_id: str, *, at: float = 100.0, forget_stop: bool = False) -> Store:
        owner = state_rows.owner(loop_id, at)
        epoch = shared.take_over(self._table, self._blobs, loop_id, owner, forget_stop=forget_stop)
        return SharedStore(self._table, self._blobs, loop_id, epoch)

    def propose(self, proposal: Proposal) -> Proposal:
        return shared.propose(self._table, self._blobs, proposal)
