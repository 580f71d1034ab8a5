"""Which jobs ran on which pool. Pure: rows in, numbers out.

Pools that live at the same time are lanes of the chart; a pool that begins when another one has ended takes its lane.
"""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.fsm.records import Job


def lanes(jobs: Sequence[Job], now: float) -> dict[int, int]:
    """The lane of each job by its number, from 1.

    A job stands in the lane of the job whose pool it took over, where the service said so; else in the first lane
    that is free when it is created.

    Args:
        jobs: In the order of their numbers.
        now: Until when a job lasts that has not ended.
    """
    found: dict[int, int] = {}
    lane_of: dict[str, int] = {}
    free_at: list[float] = []
    for job in jobs:
        began = job.created_at if job.created_at is not None else now
        lane = lane_of.get(job.reuse_of) or next(
            (number for number, free in enumerate(free_at, start=1) if free <= began), len(free_at) + 1
        )
        free_at += [0.0] * (lane - len(free_at))
        free_at[lane - 1] = job.ended_at if job.ended_at is not None else now
        found[job.number] = lane_of[job.name] = lane
    return found
