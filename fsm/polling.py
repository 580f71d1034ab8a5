"""How long to wait before reading a job again.

DescribeTrainingJob's rate limit is not documented; the SDK reads every 5 s. Reading is dense where the end
is likely and sparse where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PollPolicy:
    """Bounds of waiting, in seconds.

    Attributes:
        least: Between two reads of a job that may end now.
        most: Between two reads of a job that will not end soon.
        grace: How long a member that is not there yet may stay away (WarmPoolStatus appears late).
        quiet: After the last send of a create: how long its job may still appear.
        release: How long a release may take before it is called not confirmed.
        outage: How long the service may stay out of reach before the loop gives up.
        log: Between two reads of the log of a running job.
        backoff: First pause after a transient error; doubles up to ``most``.
        listing: Between two pages of a listing of jobs: the account may list twice a second, all its users together.
        retry: Pause before a configuration that failed through no fault of its own is submitted again.
    """

    least: float = 5.0
    most: float = 30.0
    grace: float = 60.0
    quiet: float = 90.0
    release: float = 900.0
    outage: float = 600.0
    backoff: float = 2.0
    log: float = 10.0
    retry: float = 30.0
    listing: float = 0.6


AWS = PollPolicy()
LOOPBACK = PollPolicy(least=0.05, most=1.0, grace=2.0, quiet=3.0, release=180.0, outage=30.0, backoff=0.1, log=1.0,
                retry=0.5, listing=0.0)  # fmt: skip
"""For an endpoint on this machine: nothing is rate limited and nothing is eventually consistent for long."""


def next_read(pace: PollPolicy, *, elapsed: float, expected: float | None, ending: bool) -> float:
    """Seconds until the next read: dense where the end is likely, sparse before and long after.

    Args:
        pace: The bounds.
        elapsed: Seconds since the job was accepted.
        expected: What the jobs before took; None without history.
        ending: The log has shown what the driver prints last, or the artifacts are being uploaded.
    """
    if ending:
        return pace.least
    if expected is None:
        return _bounded(pace, elapsed * 0.1)
    left = expected * EARLIEST - elapsed
    if left > 0:
        return _bounded(pace, left)
    return _bounded(pace, max(expected * RESOLUTION, (elapsed - expected) * 0.1))


EARLIEST = 0.95
"""A job is expected to end at the earliest after this share of what the ones before it took."""
RESOLUTION = 0.03
"""How exactly a job's end is worth knowing, as a share of its duration: a longer job is read less often."""


def _bounded(pace: PollPolicy, seconds: float) -> float:
    return min(pace.most, max(pace.least, seconds))


def backoff(pace: PollPolicy, attempt: int) -> float:
    """Seconds before try number ``attempt`` + 1 after a transient error."""
    return float(min(pace.most, pace.backoff * 2 ** min(attempt, 16)))
