"""The automatic fixes, one module each, by the names that ``on_failure`` uses."""

from __future__ import annotations

from collections.abc import Mapping

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import pin_requirement, release_pool, retry, scale, shorten
from wpfsm.fsm.patches.base import Material, PastPatch, Patch, Propose

__all__ = ["PATCHES", "Material", "PastPatch", "Patch", "Propose", "propose"]

PATCHES: Mapping[str, Propose] = {
    "pin_requirement": pin_requirement.propose,
    "scale": scale.propose,
    "retry": retry.propose,
    "release_pool": release_pool.propose,
    "shorten": shorten.propose,
}
"""The fixes by name."""


def propose(name: str, diagnosis: Diagnosis, material: Material) -> Patch | str:
    """The patch that a fix has for a failure.

    Args:
        name: of the fix, a key of :data:`PATCHES`.
        diagnosis: the failure.
        material: what the fix may look at.

    Returns:
        A patch that was not tried against this fingerprint, or that worked; or why there is none, in a sentence for
        the hand-off.

    Raises:
        KeyError: there is no fix of that name.
    """
    return PATCHES[name](diagnosis, material)
