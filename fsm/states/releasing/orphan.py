"""Releases the pool of one job without a loop: for orphans, and when there is no database.

By the same rules as Releasing (:mod:`wpfsm.fsm.pool.read_back`), without rows: nothing is owed, and nothing is
remembered between two tries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from wpfsm.fsm.errors import NotFound, Rejected, Unknown
from wpfsm.fsm.gateway import Gateway
from wpfsm.fsm.pool.read_back import ReleaseStep, proof, proof_of_no_pool, release_step
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import TERMINAL
from wpfsm.fsm.request.compose import LOOP_TAG
from wpfsm.fsm.units import duration

Outcome: TypeAlias = Literal["released", "gone", "reused", "unconfirmed"]


@dataclass(frozen=True)
class OrphanRelease:
    """What releasing the pool of one orphaned job came to.

    Attributes:
        job: The job.
        outcome: ``released`` by us, ``gone`` before, ``reused`` by another job, ``unconfirmed``.
        evidence: What the service said.
    """

    job: str
    outcome: Outcome
    evidence: str


def loop_of(gateway: Gateway, arn: str) -> str:
    """Id of the loop that a job belongs to; empty when it is not ours."""
    return gateway.tags(arn).get(LOOP_TAG, "")


@dataclass
class _Patience:
    """What was asked of the service so far, and since when it says nothing of a pool."""

    asked: bool = False
    absent_since: float | None = None


def release_orphan(gateway: Gateway, name: str) -> OrphanRelease:
    """Release the pool that job ``name`` owns, and read it back.

    Raises:
        NotFound: The service knows no such job.
    """
    began, patience, said = gateway.clock.now(), _Patience(), "nothing"
    while gateway.clock.now() - began < gateway.pace.release:
        try:
            reading = gateway.describe(name)
            if reading is None:
                raise NotFound(f"no job {name!r} here", fix="check the region and the credentials")
            if done := _step(gateway, reading, patience):
                return done
            said = f"{reading.status}, pool {reading.pool.status if reading.pool else 'not reported'}"
            gateway.clock.pause(gateway.pace.least)
        except Unknown as error:
            said = str(error)
    return OrphanRelease(name, "unconfirmed", f"after {duration(gateway.pace.release)}: {said}")


def _step(gateway: Gateway, reading: JobReading, patience: _Patience) -> OrphanRelease | None:
    """Act on one reading; the result once it is proven."""
    name, pool = reading.name, reading.pool
    step = release_step(pool.status if pool else "", ended=reading.status in TERMINAL)
    if step is ReleaseStep.ASK_BY_UPDATE:
        return _undecided(gateway, name, patience)
    if step is ReleaseStep.END_THE_JOB:
        if reading.status == "InProgress" and not patience.asked:
            _quietly(lambda: gateway.stop(name))
            patience.asked = True
        return None
    patience.absent_since = None
    if step is ReleaseStep.UPDATE_TO_ZERO:
        patience.asked = _quietly(lambda: gateway.set_keep_alive(name, 0)) or patience.asked
    if step is ReleaseStep.DONE and pool:
        released: Outcome = "released" if patience.asked else "gone"
        outcome = "reused" if pool.status == "Reused" else released
        return OrphanRelease(name, outcome, proof(pool.status, pool.reused_by or ""))
    return None


def _undecided(gateway: Gateway, name: str, patience: _Patience) -> OrphanRelease | None:
    """The grace period begins when the job was first seen ended."""
    now = gateway.clock.now()
    patience.absent_since = patience.absent_since or now
    if now - patience.absent_since < gateway.pace.grace:
        return None
    if not _quietly(lambda: gateway.set_keep_alive(name, 0)):
        return OrphanRelease(name, "gone", proof_of_no_pool(gateway.pace.grace))
    patience.asked, patience.absent_since = True, now
    return None


def _quietly(write: Callable[[], None]) -> bool:
    """A refusal is information for the next reading; True when it was accepted."""
    try:
        write()
    except Rejected:
        return False
    return True
