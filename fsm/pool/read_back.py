"""What a reading of a job says about the release of its pool; the same rules for a loop and for an orphan.

Stopping a job is not releasing its pool, an update of its keep-alive to 0 is, and only a reading proves it.
"""

from __future__ import annotations

from enum import Enum, auto

from wpfsm.fsm.units import duration


class ReleaseStep(Enum):
    """What is to be done next for the release of a job's pool."""

    END_THE_JOB = auto()
    """The job is not terminal: it can only be stopped, and its pool, if any, comes after its end."""
    UPDATE_TO_ZERO = auto()
    """The pool is Available: set its keep-alive to 0, and read again."""
    WAIT = auto()
    """InUse, or a status that this version does not know: nothing is concluded from it."""
    ASK_BY_UPDATE = auto()
    """The job has ended, and no pool is reported: it is late, or there never was one. Absence proves nothing.

    Once it has lasted for the grace period, an update to 0 tells: the service refuses it where no pool is.
    """
    DONE = auto()
    """Terminated, or Reused by a job that answers for it: nothing bills on this job's account."""


_OF_STATUS = {
    "": ReleaseStep.ASK_BY_UPDATE,
    "Available": ReleaseStep.UPDATE_TO_ZERO,
    "Reused": ReleaseStep.DONE,
    "Terminated": ReleaseStep.DONE,
}


def release_step(pool_status: str, *, ended: bool) -> ReleaseStep:
    """What a reading asks for.

    Args:
        pool_status: WarmPoolStatus as it was just read, not as it was last known; empty when there is none.
        ended: Whether the job is terminal.
    """
    return _OF_STATUS.get(pool_status, ReleaseStep.WAIT) if ended else ReleaseStep.END_THE_JOB


def proof(pool_status: str, taker: str = "") -> str:
    """What was read of a pool that is over, in the words of the receipt.

    Args:
        pool_status: ``Terminated`` or ``Reused``.
        taker: The job that took it over; empty when the service does not name it.
    """
    if pool_status == "Reused":
        return f"Describe says Reused by {taker or 'a job that the service does not name'}"
    return f"Describe says {pool_status}"


def proof_of_no_pool(absent: float) -> str:
    """Why a job is known to have left no pool, in the words of the receipt.

    Args:
        absent: For how many seconds at least no pool was reported, before an update was refused.
    """
    return f"no WarmPoolStatus for {duration(absent)}, and the service refused an update: no pool was left"
