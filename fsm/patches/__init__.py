"""The automatic fixes, one module each, by the names that ``on_failure`` uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import pin_requirement, release_pool, retry, scale, shorten
from wpfsm.fsm.patches.base import Material, PastPatch, Patch, Propose

__all__ = ["PATCHES", "Material", "PastPatch", "Patch", "Propose", "propose", "why_not"]

PATCHES: Mapping[str, Propose] = {
    "pin_requirement": pin_requirement.propose,
    "scale": scale.propose,
    "retry": retry.propose,
    "release_pool": release_pool.propose,
    "shorten": shorten.propose,
}
"""The fixes by name."""

_REASONS: Mapping[str, Callable[[Diagnosis, Material], str]] = {
    "pin_requirement": pin_requirement.why_not,
    "scale": scale.why_not,
    "retry": retry.why_not,
    "release_pool": release_pool.why_not,
    "shorten": shorten.why_not,
}


def propose(name: str, diagnosis: Diagnosis, material: Material) -> Patch | None:
    """The patch that a fix has for a failure.

    Args:
        name: of the fix, a key of :data:`PATCHES`.
        diagnosis: the failure.
        material: what the fix may look at.

    Returns:
        A patch that was not tried against this fingerprint, or that worked, or None (see :func:`why_not`).

    Raises:
        KeyError: there is no fix of that name.
    """
    return PATCHES[name](diagnosis, material)


def why_not(name: str, diagnosis: Diagnosis, material: Material) -> str:
    """Why a fix has no patch, in a sentence for the hand-off; empty when it has one.

    Raises:
        KeyError: there is no fix of that name.
    """
    return _REASONS[name](diagnosis, material)
