"""Releases the loop's own idle pool, which holds the quota that the next job needs."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Diagnosis, Family
from wpfsm.fsm.patches.base import Material, Patch

KIND = "release_pool"


def propose(diagnosis: Diagnosis, material: Material) -> Patch | str:
    """Release and submit again, once; or why that would not help."""
    if diagnosis.family is not Family.QUOTA:
        return "no quota stands in the way"
    if material.tried(diagnosis, KIND):
        return "the idle pool was released for this before"
    return Patch(KIND, "release the idle pool and submit again", action="release_pool", key=KIND)
