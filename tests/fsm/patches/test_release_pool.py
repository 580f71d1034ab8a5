"""A quota that our own idle pool holds."""

from __future__ import annotations

from patch_stories import INFRA, after

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.patches import Material, Patch, propose

QUOTA = explain(
    "An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: The account-level",
    "",
)


def test_the_idle_pool_is_released_once():
    """A quota failure frees our own pool one time; another failure never does."""
    patch = propose("release_pool", QUOTA, Material())

    assert isinstance(patch, Patch)
    assert patch.action == "release_pool"
    assert isinstance(propose("release_pool", QUOTA, after(QUOTA, patch, Material())), str)
    assert isinstance(propose("release_pool", INFRA, Material()), str)
