"""How a story of patches goes on: what the next attempt knows of the one before."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import Material, PastPatch, Patch, propose

OOM = explain("", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
INFRA = explain("InternalServerError: We encountered an internal error.", "")


def after(diagnosis: Diagnosis, patch: Patch, material: Material) -> Material:
    """The material of the next attempt, when this patch did not help."""
    past = PastPatch(diagnosis.fingerprint, diagnosis.class_, patch.key, "failed")
    return replace(
        material,
        hyperparameters={**material.hyperparameters, **patch.hyperparameters},
        history=(*material.history, past),
        attempt=material.attempt + 1,
    )


def scaled(hyperparameters, diagnosis=OOM, **material) -> dict | None:
    """What scaling changes of these hyperparameters; None where it has no patch."""
    patch = propose("scale", diagnosis, Material(hyperparameters=hyperparameters, **material))
    return dict(patch.hyperparameters) if isinstance(patch, Patch) else None
