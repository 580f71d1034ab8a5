"""A loop of a story whose rows are in a shared table, and the turns of its lanes as an engine takes them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from crash_turns import SuspendingClock
from crash_world import LOOP_ID, Crash, Story, World, lane_id
from memory_table import MemoryBlobs, MemoryTable

from wpfsm.adapters.engine.bootstrap import Controller
from wpfsm.fsm import controller
from wpfsm.fsm.failpoints import Failpoints, Hook
from wpfsm.fsm.records import Loop, Owner, State
from wpfsm.state.shared import loops
from wpfsm.state.shared.history import SharedHistory
from wpfsm.state.shared.pools import SharedPoolLeases
from wpfsm.state.shared.store import SharedStore

SWEPT_SECONDS = 900.0
"""After an execution has died, until the sweep has another one begun."""


class TableWorld(World):
    """The same service; the rows are a team's."""

    def __init__(self, story: Story) -> None:
        self.table, self.blobs = MemoryTable(), MemoryBlobs()
        super().__init__(story)

    def _create(self, first: Loop, siblings: list[Loop]) -> None:
        loops.create_loop(self.table, self.blobs, first, "from a story", siblings=siblings)

    def controller(self, hook: Hook | None = None, *, host: str = "here", clock: Any = None,
                   forget_stop: bool = False, lane: int = 1) -> Controller:  # fmt: skip
        """A new controller, which takes the lane over; no kernel keeps another one away."""
        failpoints, clock, mine = Failpoints(hook), clock or self.clock, lane_id(lane)
        owner = Owner(host, 1, clock.now(), clock.now())
        with failpoints.around("commit taken_over"):
            epoch = loops.take_over(self.table, self.blobs, mine, owner, forget_stop=forget_stop)
        rows: Any = SharedStore(self.table, self.blobs, mine, epoch)
        pools: Any = SharedPoolLeases(self.table)
        nothing: Any = None
        owned = Controller(
            self._ports(rows, clock, pools, failpoints), nothing, pools, contextlib.ExitStack()
        )
        owned.close = lambda **_: None  # type: ignore[method-assign]
        return owned

    @contextlib.contextmanager
    def history(self) -> Iterator[Any]:
        """Read the table as ``wpfsm inspect`` does."""
        yield SharedHistory(self.table, self.blobs)


def take_turns_of_lanes(
    world: World, hook: Hook | None = None, *, watch: Callable[[], None] = lambda: None
) -> None:
    """Turn after turn of whichever lane is due, until every lane is closed; one that dies is begun again by the sweep.

    Args:
        world: Of a story whose loop file has lanes.
        hook: Hears of every failpoint.
        watch: Called after each turn.
    """
    with world.history() as history:
        due = dict.fromkeys((each.lane for each in history.lanes(LOOP_ID)), world.clock.now())
    for _ in range(3000):
        lane = min(due, key=lambda each: (due[each], each))
        world.clock.advance(max(0.0, due[lane] - world.clock.now()))
        try:
            with contextlib.closing(
                world.controller(hook, clock=SuspendingClock(world.clock), lane=lane)
            ) as owned:
                taken = controller.turn(owned.ports)
        except Crash:
            due[lane] = world.clock.now() + SWEPT_SECONDS
        else:
            due[lane] = taken.look_at or world.clock.now() + SWEPT_SECONDS
            if taken.loop.state is State.CLOSED:
                del due[lane]
        watch()
        if not due:
            return
    raise AssertionError(f"not closed: lanes {sorted(due)}")
