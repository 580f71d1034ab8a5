"""`single`: one job, for a declined warm pool or a request that is one job; the bookkeeping is the same."""

from __future__ import annotations

from typing import Literal

from wpfsm.fsm.strategies.base import Goal, Proposal
from wpfsm.fsm.strategies.schedule import Schedule
from wpfsm.fsm.strategies.smoke import WithSmoke


class SingleConfig(WithSmoke):
    """The `strategy` section of one job."""

    type: Literal["single"] = "single"


def single(goal: Goal | None) -> Schedule:
    """The strategy that runs the job as the loop file gives it."""
    return Schedule([Proposal({}, "job")], goal)
