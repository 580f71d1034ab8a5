"""One turn of a shared loop, as an engine's step: what it came to, as a small JSON object."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.engine.ports import NobodyAsks, ports_of
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.watchers.base import NullProgress
from wpfsm.adapters.watchers.notify import notifier_for
from wpfsm.fsm import controller
from wpfsm.fsm.errors import Fenced, NotConfirmed, Suspended, WpfsmError
from wpfsm.fsm.failpoints import Hook
from wpfsm.fsm.records import JSON, Loop, Outcome, State
from wpfsm.state.shared import wake
from wpfsm.state.shared.history import SharedHistory

NAP_SECONDS = 30.0
"""A pause up to this is slept within the turn: cheaper than an engine's wait, and a few looks are soon done."""
TURN_SECONDS = 600.0
"""After this a turn ends at its next pause, well before a function's 15 minutes are over."""
TROUBLE_SECONDS = 300.0
"""After an error that another turn may not meet."""
PARKED_SECONDS = 900.0
"""While the group of a lane waits for somebody's answer, which knocks: the next look is only the net."""
_MOVES = (State.SUBMITTING, State.VERIFYING, State.RELEASING, State.CLOSED)
"""Where a lane is once it has drawn a trial, or once there is none left for it."""
_IDLE = (State.PREFLIGHT, State.DIAGNOSING, State.RELEASING)
"""Where a lane is that waits for its siblings: for a trial, for what theirs show, or for them to close."""


class EngineClock:
    """Implements :class:`wpfsm.fsm.ports.Clock`: sleeps through short pauses, and ends the turn at long ones.

    Args:
        nap: Seconds of the longest pause that is slept through.
        budget: Seconds after which every pause ends the turn.
    """

    def __init__(self, nap: float = NAP_SECONDS, budget: float = TURN_SECONDS) -> None:
        self._wall = WallClock()
        self._nap = nap
        self._until = time.monotonic() + budget

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._wall.now()

    def pause(self, seconds: float) -> None:
        """Sleep, or end the turn."""
        if seconds > self._nap or time.monotonic() + seconds > self._until:
            raise Suspended(seconds)
        time.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep here in any case."""
        time.sleep(seconds)


class Knocking(NullProgress):
    """Wakes the siblings of a lane when it has moved on: they wait for that, and would look much later by themselves.

    Args:
        place: Where the rows are.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def state(self, loop: Loop, why: str) -> None:  # noqa: ARG002 - the port's signature
        """What ends one lane ends all; a trial or an end concerns only those that wait. A lost knock is a late look."""
        if not loop.lane or loop.state not in _MOVES:
            return
        ends = loop.state is State.RELEASING and loop.outcome is not Outcome.LET_GO
        with contextlib.suppress(WpfsmError):
            executions.knock_lanes(self._place, loop, besides=loop.id, states=() if ends else _IDLE)


def take(
    place: Place,
    loop_id: str,
    *,
    generation: int | None = None,
    hook: Hook | None = None,
    cache: Path | None = None,
) -> dict[str, JSON]:
    """Take one turn.

    Args:
        place: Where the loop's rows are.
        loop_id: The loop.
        generation: Which execution asks; an older one than the loop's own is told that it is over.
        hook: Hears of every failpoint.
        cache: Where copies of sources and logs are kept; a function's own disk by default.

    Returns:
        ``over``: whether the engine has nothing to do any more; ``exit_code`` where the loop has ended or waits
        for a person; ``seconds`` until the next turn; ``knocks``: what to compare when lying down to sleep;
        ``state``, and ``error`` in words.
    """
    knocks = wake.knocks(place.table, loop_id)
    loop = SharedHistory(place.table, place.blobs).find(loop_id)
    if generation is not None and loop.generation > generation:
        return {
            **_shown(loop, knocks),
            "over": True,
            "error": f"generation {loop.generation} drives the loop",
        }
    if loop.state is State.CLOSED:
        return {**_shown(loop, knocks), "over": True}
    try:
        taken = _turn(place, loop, hook, cache or Path(tempfile.gettempdir()) / "wpfsm.db")
    except WpfsmError as error:
        # Fenced: another turn runs at this moment. The others pass, or need a person, whom the error reaches.
        seconds = NAP_SECONDS if isinstance(error, Fenced) else TROUBLE_SECONDS
        said = f"{type(error).__name__}: {error}"
        return {
            **_shown(loop, knocks),
            "over": False,
            "seconds": seconds,
            "exit_code": error.exit_code,
            "error": said,
        }
    return _outcome(taken, knocks, EngineClock().now())


def _turn(place: Place, loop: Loop, hook: Hook | None, cache: Path) -> controller.Turn:
    notifier = notifier_for(loop, _to_stdout(loop.id), programs=False)
    nap = float(os.environ.get("WPFSM_NAP", NAP_SECONDS))
    clock = EngineClock(nap)
    try:
        with ports_of(
            place,
            loop,
            cache,
            clock=clock,
            stop=NobodyAsks(),
            progress=Knocking(place),
            notifier=notifier,
            engine=True,
            hook=hook,
        ) as ports:
            taken = controller.turn(ports)
            if (job := ports.store.last_job()) is not None:
                ports.archive.save(job.name)
            if taken.exit_code == NotConfirmed.exit_code:
                ports.store.rest(clock.now() + TROUBLE_SECONDS, clock.now())
            elif _is_parked(taken):
                ports.store.rest(clock.now() + PARKED_SECONDS, clock.now())
            return taken
    finally:
        notifier.close()


def _outcome(taken: controller.Turn, knocks: int, now: float) -> dict[str, JSON]:
    found = _shown(taken.loop, knocks)
    if taken.exit_code is None:
        return {**found, "over": False, "seconds": max(0.0, (taken.look_at or now) - now)}
    if taken.exit_code == NotConfirmed.exit_code:
        # An engine does not give up: what may still bill is looked at again and again.
        return {
            **found,
            "over": False,
            "seconds": TROUBLE_SECONDS,
            "exit_code": taken.exit_code,
            "error": str(taken.error),
        }
    if _is_parked(taken):
        return {**found, "over": False, "seconds": PARKED_SECONDS}
    return {**found, "over": True, "exit_code": taken.exit_code}


def _is_parked(taken: controller.Turn) -> bool:
    """Whether a lane has nothing to do before the hand-off of another one is answered: its execution goes on, asleep."""
    return taken.exit_code == controller.HANDED_OFF and bool(taken.loop.lane) and taken.loop.handoff is None


def _shown(loop: Loop, knocks: int) -> dict[str, JSON]:
    return {
        "loop": loop.id,
        "state": str(loop.state),
        "generation": loop.generation,
        "knocks": knocks,
        "exit_code": None,
        "seconds": None,
        "error": "",
    }


def _to_stdout(loop_id: str) -> Callable[..., None]:
    """Where a function's log lines go."""

    def note(*words: object, **members: object) -> None:
        said = [loop_id, *map(str, words), *(f"{name}={value}" for name, value in members.items())]
        sys.stdout.write(" ".join(said) + "\n")

    return note
