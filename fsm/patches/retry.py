"""The same configuration again, after a pause that doubles each time."""

from __future__ import annotations

import hashlib

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches.base import Material, Patch

KIND = "retry"

FIRST_WAIT = 30.0
"""Seconds before the first retry of a service that is far away."""
LONGEST_WAIT = 900.0
"""Seconds that no pause exceeds, jitter included."""
JITTER = 0.2
"""Part of the pause by which it may be longer, so that loops that failed together do not come back together."""


def propose(diagnosis: Diagnosis, material: Material) -> Patch | str:
    """The same configuration after the first wait, twice that, four times … and up to a fifth more.

    The jitter is drawn from the failure and the attempt, so that the same activity run again proposes the same wait.
    """
    key = f"{KIND}:{material.attempt}"
    if material.tried(diagnosis, key):
        return f"attempt {material.attempt} was already made"
    wait = wait_seconds(diagnosis.fingerprint, material.attempt, material.first_wait)
    if diagnosis.details.get("hardware"):
        # The warm pool is that very instance: the next job would be given it again.
        what = "release the pool, whose instance is faulty, and submit the same configuration to another one"
        return Patch(
            KIND,
            f"{what} after {wait:.3g} s (attempt {material.attempt})",
            wait_seconds=wait,
            action="release_pool",
            key=key,
        )
    return Patch(
        KIND,
        f"the same configuration again after {wait:.3g} s (attempt {material.attempt})",
        wait_seconds=wait,
        key=key,
    )


def wait_seconds(seed: str, attempt: int, first: float = FIRST_WAIT) -> float:
    """The pause before a retry, in seconds; between the first wait and 900.

    Args:
        seed: what the jitter is drawn from.
        attempt: 1 for the first retry.
        first: seconds before the first retry, jitter aside.
    """
    digest = hashlib.sha256(f"{seed}:{attempt}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    base = first * float(1 << min(max(attempt, 1) - 1, 10))
    return round(min(base * (1 + JITTER * share), LONGEST_WAIT), 1)
