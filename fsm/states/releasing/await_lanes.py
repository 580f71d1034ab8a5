"""The first lane of a group closes last: its receipt and its outcome are those of the group.

Nobody has to stay alive for that. Where a process drives the lane it sleeps between two looks; where an engine does,
the turn ends, and the lane's execution sleeps until a sibling that closes knocks or the next look is due. One that
dies meanwhile is replaced as that of any other lane. A parent execution that only waits would be one execution
more to be killed, swept, stopped and told of, for the same wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import NotConfirmed
from wpfsm.fsm.records import Loop, Outcome, State
from wpfsm.fsm.steps.lanes import LanesWait

NOT_CONFIRMED = "the release, which was not confirmed"
"""What a lane notes when it gives up: the first lane then gives up too, and says which."""


def await_lanes(ctx: Context) -> dict[str, object]:
    """Wait until every other lane is Closed; returns the group's outcome where it is not the lane's own.

    Raises:
        LanesWait: A lane waits in a hand-off, and no other one works.
        NotConfirmed: A lane could not confirm its release, or nobody has driven it for a long time.
    """
    if ctx.loop.lane != 1:
        return {}
    while left := [each for each in ctx.siblings() if each.state is not State.CLOSED]:
        if all(each.handoff is not None or _waits(each, left) for each in left):
            raise LanesWait
        _refuse_lost(ctx, left)
        ctx.beat()
        ctx.progress.waiting(f"lane {', '.join(str(each.lane) for each in left)} to close", None)
        ctx.clock.pause(ctx.pace.siblings)
    return _decided(ctx.siblings()) if ctx.loop.outcome is Outcome.LET_GO else {}


def _waits(lane: Loop, left: Sequence[Loop]) -> bool:
    """Whether a lane has nothing to do before a hand-off of another one is answered."""
    return lane.state is State.PREFLIGHT and any(each.handoff is not None for each in left)


def _refuse_lost(ctx: Context, left: Sequence[Loop]) -> None:
    heard_of, now = ctx.store.heard_of(), ctx.clock.now()
    for each in left:
        silent = now - max(heard_of.get(each.lane, 0.0), each.updated_at)
        if NOT_CONFIRMED in each.waits or silent > ctx.pace.release:
            raise NotConfirmed(
                f"lane {each.lane} of {ctx.loop.group} is {each.state} and not closed",
                fix=f"wpfsm resume {ctx.loop.group}",
            )


def _decided(siblings: Sequence[Loop]) -> dict[str, object]:
    """How the lane ended that went on to the end."""
    last = max(siblings, key=lambda each: (each.outcome is not Outcome.LET_GO, each.closed_at or 0.0))
    return {"outcome": last.outcome, "why": last.why} if last.outcome is not Outcome.LET_GO else {}
