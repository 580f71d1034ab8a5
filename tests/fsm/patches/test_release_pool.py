"""A quota that our own idle pool holds."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import Material, PastPatch, Patch, propose

INFRA = explain("InternalServerError: We encountered an internal error.", "")

QUOTA = explain(
    "An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: The account-level",
    "",
)


def after(diagnosis: Diagnosis, patch: Patch, material: Material) -> Material:
    """The material of the next attempt, when this patch did not help."""
    past = PastPatch(diagnosis.fingerprint, diagnosis.class_, patch.key, "failed")
    return replace(
        material,
        hyperparameters={**material.hyperparameters, **patch.hyperparameters},
        history=(*material.history, past),
        attempt=material.attempt + 1,
    )


def test_the_idle_pool_is_released_once():
    """A quota failure frees our own pool one time; another failure never does."""
    patch = propose("release_pool", QUOTA, Material())

    assert isinstance(patch, Patch)
    assert patch.action == "release_pool"
    assert isinstance(propose("release_pool", QUOTA, after(QUOTA, patch, Material())), str)
    assert isinstance(propose("release_pool", INFRA, Material()), str)
