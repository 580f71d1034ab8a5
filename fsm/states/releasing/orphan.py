"""Releases the pool of one job without a loop: for orphans, and when there is no database.

The same facts as Releasing, without rows: stop is not release, an update to 0 is, and only a read-back
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wpfsm.fsm.errors import NotFound, Rejected, Unknown
from wpfsm.fsm.polling import Pace, backoff
from wpfsm.fsm.ports import Clock, JobReading, TrainingService
from wpfsm.fsm.records import TERMINAL
from wpfsm.fsm.request.compose import LOOP_TAG


@dataclass(frozen=True)
class Reaped:
    """What came of it.

    Attributes:
        job: The job.
        outcome: ``released`` by us, ``gone`` before, ``reused`` by another job, ``unconfirmed``.
        evidence: What the service said.
    """

    job: str
    outcome: Literal["released", "gone", "reused", "unconfirmed"]
    evidence: str


def loop_of(service: TrainingService, arn: str) -> str:
    """Id of the loop that a job belongs to; empty when it is not ours."""
    return service.tags(arn).get(LOOP_TAG, "")


@dataclass
class _Patience:
    """What was asked of the service so far, and since when it says nothing of a pool."""

    asked: bool = False
    absent_since: float | None = None


def reap(service: TrainingService, clock: Clock, pace: Pace, name: str) -> Reaped:
    """Release the pool that job ``name`` owns, and read it back.

    Raises:
        NotFound: The service knows no such job.
    """
    began, patience, attempt, said = clock.now(), _Patience(), 0, "nothing"
    while clock.now() - began < pace.release:
        try:
            reading = service.describe(name)
            if reading is None:
                raise NotFound(f"no job {name!r} here", fix="check the region and the credentials")
            if done := _step(service, clock, pace, reading, patience):
                return done
            said = f"{reading.status}, pool {reading.pool.status if reading.pool else 'not reported'}"
            clock.pause(pace.least)
        except Unknown as error:
            said = str(error)
            clock.pause(backoff(pace, attempt))
            attempt += 1
    return Reaped(name, "unconfirmed", f"after {pace.release:.0f} s: {said}")


def _step(
    service: TrainingService, clock: Clock, pace: Pace, reading: JobReading, patience: _Patience
) -> Reaped | None:
    name = reading.name
    if reading.status not in TERMINAL:
        if reading.status == "InProgress" and not patience.asked:
            _quietly(lambda: service.stop(name))
            patience.asked = True
        return None
    if reading.pool is None:
        return _undecided(service, clock, pace, name, patience)
    patience.absent_since = None
    if reading.pool.status == "Terminated":
        return Reaped(name, "released" if patience.asked else "gone", "Describe says Terminated")
    if reading.pool.status == "Reused":
        by = reading.pool.reused_by or "a job it does not name"
        return Reaped(name, "reused", f"Describe says Reused by {by}")
    if reading.pool.status == "Available":
        patience.asked = _quietly(lambda: service.set_keep_alive(name, 0)) or patience.asked
    return None


def _undecided(
    service: TrainingService, clock: Clock, pace: Pace, name: str, patience: _Patience
) -> Reaped | None:
    """Terminal, and no word on a pool: late, or there never was one. The grace period begins with the end."""
    now = clock.now()
    patience.absent_since = patience.absent_since or now
    if now - patience.absent_since < pace.grace:
        return None
    if not _quietly(lambda: service.set_keep_alive(name, 0)):
        return Reaped(name, "gone", "no WarmPoolStatus, and the service refused an update")
    patience.asked, patience.absent_since = True, now
    return None


def _quietly(write: object) -> bool:
    """A refusal is information for the next reading; True when it was accepted."""
    try:
        write()  # type: ignore[operator]
    except Rejected:
        return False
    return True
