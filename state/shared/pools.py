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

    def take(self, pool_key: str, loop_id: str, *, lanes: bool = False) -> None:  # noqa: ARG002 - the name is enough
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
                raise _held(pool_key, holder)
            if self._table.update(Update(pk, HOLDER, mine, {"holder": holder})):
                return

    def refuse_held(self, pool_key: str, loop_id: str) -> None:
        """For a loop that keeps no pool: its job would still match the pool of the loop that has the key.

        Raises:
            Held: A loop that is not Closed has it.
        """
        item = self._table.get(f"POOL#{pool_key}", HOLDER)
        holder = str(item["holder"]) if item and item.get("holder") else ""
        if holder and holder != loop_id and not self._is_over(holder):
            raise _held(pool_key, holder)

    def _is_over(self, loop_id: str) -> bool:
        """Whether the holder is Closed, or gone: a loop that is forgotten was Closed before."""
        item = self._table.get(loop_id, LOOP)
        return item is None or item.get("state") == State.CLOSED


def _held(pool_key: str, holder: str) -> Held:
    return Held(
        f"the pool key {pool_key} is held by loop {holder}, which is not Closed",
        fix=f"wpfsm wait {holder}, or wpfsm stop {holder}",
    )
