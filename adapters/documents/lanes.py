"""A group of lanes as one loop, and a row for each lane: what it does, its pool, what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wpfsm.fsm.pool.owner import as_reused
from wpfsm.fsm.records import JSON, POOL_OVER, Job, Loop, Outcome, State, Trial
from wpfsm.fsm.units import stamp

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History

_BUSY = ("pending", "running")


def standing(history: History, loop: Loop) -> Loop:
    """The group as one row: where the lane is that goes on, and the hand-off that the group waits in, once it waits."""
    if loop.lane != 1 or loop.state is State.CLOSED:
        return loop
    lanes = history.lanes(loop.id)
    shown = loop
    going_on = next((each for each in lanes if each.outcome is None), None)
    if loop.outcome is Outcome.LET_GO and going_on is not None:
        shown = replace(loop, state=going_on.state, outcome=None, why="")
    waiting = resting(history, loop)
    if waiting is None:
        return replace(shown, handoff=None, hold_until=None)
    return replace(shown, handoff=waiting.handoff, hold_until=waiting.hold_until)


def resting(history: History, loop: Loop) -> Loop | None:
    """The lane in whose hand-off the group waits; None while another lane works."""
    if loop.lane != 1:
        return None
    lanes = history.lanes(loop.id)
    if all(each.handoff is None for each in lanes):
        return None
    working = {t.lane for t in history.trials(loop.id) if t.state in _BUSY}
    if any(each.outcome is None and each.handoff is None and each.lane in working for each in lanes):
        return None
    return next((each for each in lanes if each.handoff is not None), None)


def lane_objects(history: History, loop: Loop, jobs: Sequence[Job], trials: Sequence[Trial]) -> list[JSON]:
    """What ``inspect`` prints under ``lanes``: a row for each; empty for a loop without lanes."""
    explained = as_reused(jobs)
    return [_lane(each, explained, trials) for each in history.lanes(loop.id)]


def _lane(lane: Loop, jobs: Sequence[Job], trials: Sequence[Trial]) -> JSON:
    mine = [job for job in jobs if job.lane == lane.lane]
    trial = next((t for t in trials if t.lane == lane.lane and t.state in _BUSY), None)
    owner = next((job for job in reversed(mine) if job.arn and job.keep_alive > 0), None)
    holds = owner is not None and owner.is_terminal and owner.pool_status not in POOL_OVER
    claims = mine[-1].claims if mine and mine[-1].start is None and not mine[-1].is_terminal else ""
    waits = list(lane.waits)
    return {
        "lane": lane.lane,
        "id": lane.id,
        "state": str(lane.state),
        "outcome": str(lane.outcome) if lane.outcome else None,
        "why": lane.why or None,
        "trial": trial.number if trial else None,
        "job": mine[-1].name if mine else None,
        "jobs": len(mine),
        "pool": {
            "owner_job": owner.name if owner else None,
            "status": (owner.pool_status or None) if owner else None,
            "held": holds and lane.state is not State.CLOSED,
        },
        "claims": claims or None,
        "waits_for": waits[0] if waits else None,
        "waits_since": stamp(float(since))
        if waits and isinstance(since := lane.waits[waits[0]], int | float)
        else None,
        "handoff": lane.handoff.to_json() if lane.handoff else None,
    }
