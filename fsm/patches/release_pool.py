"""Releases the loop's own idle pool, which holds the quota that the next job needs."""

from __future__ import annotations

from wpfsm.fsm.failures.diagnosis import Family
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches.base import Material, Patch

KIND = "release_pool"


def propose(diagnosis: Diagnosis, material: Material) -> Patch | None:
    """Release and submit again, once; None when the quota is not ours to free, or that was tried."""
    if why_not(diagnosis, material):
        return None
    return Patch(KIND, "release the idle pool and submit again", action="release_pool", key=KIND)


def why_not(diagnosis: Diagnosis, material: Material) -> str:
    """Why releasing would not help; empty when it may."""
    if diagnosis.family is not Family.QUOTA:
        return "no quota stands in the way"
    if material.tried(diagnosis, KIND):
        return "the idle pool was released for this before"
    return ""
