"""`single`: one job, for a declined warm pool or a request that is one job; the bookkeeping is the same."""

from __future__ import annotations

from typing import Literal

from wpfsm.fsm.strategies.base import Point
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.smoke import WithSmoke
from wpfsm.fsm.strategies.trial_list import TrialList


class SingleConfig(WithSmoke):
    """The `strategy` section of one job."""

    type: Literal["single"] = "single"


def single(goal: Goal | None) -> TrialList:
    """The strategy that runs the job as the loop file gives it."""
    return TrialList([Point({}, "job")], goal)
