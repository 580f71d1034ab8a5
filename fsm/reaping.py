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
from wpfsm.fsm.request import LOOP_TAG


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


def reap(service: TrainingService, clock: Clock, pace: Pace, name: str) -> Reaped:
    """Release the pool that job ``name`` owns, and read it back.

    Raises:
        NotFound: The service knows no such job.
    """
    began, asked, attempt, said = clock.now(), False, 0, "nothing"
    while clock.now() - began < pace.release:
        try:
            reading = service.describe(name)
            if reading is None:
                raise NotFound(f"no job {name!r} here", fix="check the region and the credentials")
            done, asked = _step(service, clock, pace, reading, asked=asked, began=began)
            if done:
                return done
            said = f"{reading.status}, pool {reading.pool.status if reading.pool else 'not reported'}"
            clock.pause(pace.least)
        except Unknown as error:
            said = str(error)
            clock.pause(backoff(pace, attempt))
            attempt += 1
    return Reaped(name, "unconfirmed", f"after {pace.release:.0f} s: {said}")


def _step(
    service: TrainingService, clock: Clock, pace: Pace, reading: JobReading, *, asked: bool, began: float
) -> tuple[Reaped | None, bool]:
    name, status = reading.name, reading.pool.status if reading.pool else ""
    if reading.status == "InProgress" and not asked:
        _quietly(lambda: service.stop(name))
        return None, True
    if reading.status not in TERMINAL:
        return None, asked
    if status == "Terminated":
        return Reaped(name, "released" if asked else "gone", "Describe says Terminated"), asked
    if status == "Reused":
        by = reading.pool.reused_by if reading.pool else None
        return Reaped(name, "reused", f"Describe says Reused by {by or 'a job it does not name'}"), asked
    if status == "Available":
        return None, _quietly(lambda: service.set_keep_alive(name, 0)) or asked
    if (
        not status
        and clock.now() - began > pace.grace
        and not _quietly(lambda: service.set_keep_alive(name, 0))
    ):
        return Reaped(name, "gone", "no WarmPoolStatus, and the service refused an update"), asked
    return None, asked


def _quietly(write: object) -> bool:
    """A refusal is information for the next reading; True when it was accepted."""
    try:
        write()  # type: ignore[operator]
    except Rejected:
        return False
    return True
