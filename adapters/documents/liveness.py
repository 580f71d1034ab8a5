"""Does somebody drive this loop right now?

On this host the kernel knows: the controller's lock ends with its process. On another host the heartbeat
tells, and only roughly.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.documents.lanes import resting
from wpfsm.fsm.records import JSON, Loop, Owner, State
from wpfsm.state.leases import STALE_SECONDS, anybody_drives
from wpfsm.state.paths import siblings

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History


@dataclass(frozen=True)
class Liveness:
    """A loop's controller.

    Attributes:
        alive: None where it cannot be told.
        host: Where it runs, or ran last; empty when the loop never had one.
        pid: Its process there.
        since: When it took the loop over, in epoch seconds.
        heartbeat: When it last said that it lives, in epoch seconds.
    """

    alive: bool | None
    host: str = ""
    pid: int | None = None
    since: float | None = None
    heartbeat: float | None = None

    def to_json(self, stamp: Callable[[float | None], str | None]) -> dict[str, JSON]:
        """As the document has it; ``stamp`` writes times."""
        return {
            "alive": self.alive,
            "host": self.host or None,
            "pid": self.pid,
            "since": stamp(self.since),
            "heartbeat": stamp(self.heartbeat),
        }


ENGINE_LATE_SECONDS = 300.0
"""How late a loop's next turn may be before its engine counts as dead, as for the sweep."""
TURN_SECONDS = 900.0
"""The longest that a turn may take."""


def engine(loop: Loop, owner: Owner | None, now: float) -> Liveness:
    """An engine's loop lives while its next turn is due or not long past; during a turn it has no such moment."""
    if loop.state is State.CLOSED or owner is None:
        return Liveness(False if loop.state is State.CLOSED else None)
    due = owner.since + TURN_SECONDS if loop.look_at is None else loop.look_at
    alive = loop.handoff is None and now < due + ENGINE_LATE_SECONDS
    return Liveness(alive, f"engine, generation {loop.generation}", owner.pid, owner.since, owner.heartbeat)


def _lanes(history: History, first: Loop, own: Liveness, now: float) -> Liveness:
    """A group goes on while the execution of any lane does, unless all that is left waits for an answer."""
    if first.state is not State.CLOSED and resting(history, first) is not None:
        return replace(own, alive=False)
    others = (engine(each, history.owner(each.id), now) for each in history.lanes(first.id))
    return own if own.alive else next((each for each in others if each.alive), own)


def look(history: History, database: Path, loop: Loop, now: float) -> Liveness:
    """Whether the loop's controller lives; of a group, whether any lane has one."""
    owner = history.owner(loop.id)
    if loop.generation:
        own = engine(loop, owner, now)
        return _lanes(history, loop, own, now) if loop.lane == 1 else own
    here = owner is None or owner.host == os.uname().nodename
    alive: bool | None
    if loop.state is State.CLOSED:
        alive = False
    elif here:
        try:
            alive = anybody_drives(siblings(database, "locks"), loop.id)
        except OSError:
            # A folder that may only be read: the heartbeat is what is left.
            alive = None if owner is None else now - owner.heartbeat <= STALE_SECONDS
    else:
        alive = owner is not None and now - owner.heartbeat <= STALE_SECONDS
    if owner is None:
        return Liveness(alive)
    return Liveness(alive, owner.host, owner.pid, owner.since, owner.heartbeat)
