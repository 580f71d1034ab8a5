"""Chaos on demand: the faults that a tool must live with, all at once, and the same again for the same seed.

They are those under which wpfsm's own crash tests run its controller: calls that are throttled, lost before or after
they were done, or answered by 500; answers that lack a member or hold an unknown value; jobs whose hardware fails or
is not to be had; pools that are patched away, taken by somebody else, or not provisioned; logs and pool statuses
that come late. Each is rare enough that a tool which tries again gets through.
"""

from __future__ import annotations

import random

from wpfsm.adapters.emulator.engine.faults import FaultRule, Kind

WRITES = ("CreateTrainingJob", "UpdateTrainingJob", "StopTrainingJob")
READS = ("DescribeTrainingJob", "ListTrainingJobs", "DescribeLogStreams", "GetLogEvents", "ListTags")
LOSABLE = ("WarmPoolStatus", "TrainingEndTime", "SecondaryStatusTransitions", "BillableTimeInSeconds")
"""Members of Describe that the service itself leaves out at times."""


def chaos(seed: int) -> list[FaultRule]:
    """Return the faults of a seed, which says how often and for how long each strikes.

    Which call a fault strikes is drawn by the call's operation, its job and how many such calls came before, so that
    two runs of one tool meet the same faults though their calls come in another order.
    """
    dice = random.Random(f"chaos/{seed}")
    rules = [
        FaultRule(kind, operation=operation, probability=dice.uniform(0.02, 0.15))
        for operation in WRITES
        for kind in (Kind.THROTTLE, Kind.ERROR_5XX, Kind.TIMEOUT_BEFORE_WRITE, Kind.TIMEOUT_AFTER_WRITE)
    ]
    rules += [
        FaultRule(kind, operation=operation, probability=dice.uniform(0.01, 0.08))
        for operation in READS
        for kind in (Kind.THROTTLE, Kind.ERROR_5XX, Kind.TIMEOUT_BEFORE_WRITE)
    ]
    rules += [
        FaultRule(Kind.SLOW, probability=dice.uniform(0.01, 0.05), seconds=dice.uniform(0.1, 2.0)),
        FaultRule(
            Kind.DROP_MEMBER,
            operation="DescribeTrainingJob",
            member=dice.choice(LOSABLE),
            probability=dice.uniform(0.02, 0.1),
        ),
        FaultRule(
            Kind.UNKNOWN_ENUM,
            operation="DescribeTrainingJob",
            member="SecondaryStatus",
            probability=dice.uniform(0.01, 0.05),
        ),
        FaultRule(Kind.RESOURCE_LIMIT, operation="CreateTrainingJob", probability=dice.uniform(0.01, 0.05)),
    ]
    of_jobs = {
        Kind.INTERNAL_ERROR: 5.0,
        Kind.CAPACITY_ERROR: 0.0,
        Kind.SLOW_START: 30.0,
        Kind.LATE_LOGS: 20.0,
        Kind.ABSENT_POOL_STATUS: 20.0,
        Kind.PATCH_UPDATE: 10.0,
        Kind.STOLEN_POOL: 10.0,
        Kind.POOL_FAILED: 0.0,
    }
    rules += [
        FaultRule(kind, probability=dice.uniform(0.05, 0.2), seconds=dice.uniform(0.0, longest))
        for kind, longest in of_jobs.items()
    ]
    return rules
