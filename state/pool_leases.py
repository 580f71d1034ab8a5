"""Pool keys as leases: a second loop on the same key is refused while the first one lives, or holds its pool."""

from __future__ import annotations

import time
from pathlib import Path

from wpfsm.fsm.errors import Held
from wpfsm.fsm.units import stamp
from wpfsm.state.history import History
from wpfsm.state.leases import Lease, acquire, acquire_together, refuse_held


class LocalPoolLeases:
    """Implements :class:`wpfsm.fsm.ports.PoolLeases` with kernel locks beside the database.

    Args:
        folder: Where the lock files are.
        history: For the loops that hold a pool without a process: those in a hand-off.
    """

    def __init__(self, folder: Path, history: History | None = None) -> None:
        self._folder = folder
        self._history = history
        self._held: dict[str, Lease] = {}

    def take(self, pool_key: str, loop_id: str, *, lanes: bool = False) -> None:
        """Hold the key until the process ends.

        Args:
            pool_key: The key.
            loop_id: The loop, or the group of lanes.
            lanes: Hold it together with the other lanes of the group.

        Raises:
            Held: Another live loop has it, or one in a hand-off whose pool is held for its answer.
        """
        if pool_key not in self._held:
            self._refuse_waiting(pool_key, loop_id)
            what = f"the pool key {pool_key}"
            take = acquire_together if lanes else acquire
            self._held[pool_key] = take(self._folder, f"pool-{pool_key}", what=what, holder=loop_id)

    def refuse_held(self, pool_key: str, loop_id: str) -> None:
        """For a loop that keeps no pool: its job would still match the pool of the loop that has the key.

        Raises:
            Held: As for :meth:`take`.
        """
        if pool_key not in self._held:
            self._refuse_waiting(pool_key, loop_id)
            refuse_held(self._folder, f"pool-{pool_key}", what=f"the pool key {pool_key}")

    def _refuse_waiting(self, pool_key: str, loop_id: str) -> None:
        now = time.time()
        other = self._history.waiting_on(pool_key, loop_id, now) if self._history else None
        if other is not None:
            until = stamp(other.hold_until)
            raise Held(
                f"the pool key {pool_key} is held until {until} by loop {other.id}, which waits in a hand-off",
                fix=f"wpfsm resume {other.id} goes on with it, wpfsm resume {other.id} --abandon releases it",
            )

    def release(self) -> None:
        """Give every key back."""
        for lease in self._held.values():
            lease.release()
        self._held.clear()
