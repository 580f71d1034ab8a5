"""Pool keys as leases: a second loop on the same key is refused while the first one lives."""

from __future__ import annotations

from pathlib import Path

from wpfsm.state.leases import Lease, acquire


class LocalPoolLeases:
    """Implements :class:`wpfsm.fsm.ports.PoolLeases` with kernel locks beside the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, Lease] = {}

    def take(self, pool_key: str, loop_id: str) -> None:
        """Hold the key until the process ends; raises ``Held`` when another live loop has it."""
        if pool_key not in self._held:
            what = f"the pool key {pool_key}"
            self._held[pool_key] = acquire(self._folder, f"pool-{pool_key}", what=what, holder=loop_id)

    def release(self) -> None:
        """Give every key back."""
        for lease in self._held.values():
            lease.release()
        self._held.clear()
