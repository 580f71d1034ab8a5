"""Pool keys as items: a key is held by its loop until that is Closed, not by a process."""

from __future__ import annotations

from wpfsm.fsm.errors import Held
from wpfsm.fsm.records import State
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.table import Table, Update

HOLDER = "HOLDER"


class SharedPoolLeases:
    """Implements :class:`wpfsm.fsm.ports.PoolLeases`.

    Args:
        table: The table that every loop of the account and region is in.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, pool_key: str, loop_id: str) -> None:
        """Hold the key until the loop is Closed; taking it again is no harm.

        Raises:
            Held: A loop that is not Closed has it.
        """
        pk = f"POOL#{pool_key}"
        mine = {"holder": loop_id}
        while True:
            item = self._table.get(pk, HOLDER)
            holder = str(item["holder"]) if item else None
            if holder == loop_id:
                return
            if holder and not self._is_over(holder):
                raise Held(
                    f"the pool key {pool_key} is held by loop {holder}, which is not Closed",
                    fix=f"wpfsm wait {holder}, or wpfsm stop {holder}",
                )
            if self._table.update(Update(pk, HOLDER, mine, {"holder": holder})):
                return

    def _is_over(self, loop_id: str) -> bool:
        """Whether the holder is Closed, or gone: a loop that is forgotten was Closed before."""
        item = self._table.get(loop_id, LOOP)
        return item is None or item.get("state") == State.CLOSED
