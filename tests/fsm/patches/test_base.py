"""What every fix keeps to: a patch or a reason, once for a failure that it did not cure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.taxonomy import TAXONOMY
from wpfsm.fsm.patches import PATCHES, Material, PastPatch, Patch, propose
from wpfsm.fsm.patches.base import patch_of
from wpfsm.fsm.records import JobPatch

OOM = explain("", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")


def test_a_patch_that_worked_is_proposed_again():
    """Another trial that meets the same failure gets the fix that cured it; one that failed is not repeated."""
    material = Material(hyperparameters={"batch_size": 8})
    patch = propose("scale", OOM, material)
    assert isinstance(patch, Patch)
    worked = PastPatch(OOM.fingerprint, OOM.class_, patch.key, "worked")

    assert propose("scale", OOM, replace(material, history=(worked,))) == patch
    for outcome in ("failed", "pending"):
        assert isinstance(
            propose("scale", OOM, replace(material, history=(replace(worked, outcome=outcome),))), str
        )


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_or_a_reason(name):
    """Every fix either proposes or says why not, for every class of failure."""
    for row in TAXONOMY:
        diagnosis = replace(OOM, family=row.family, class_=row.name)
        assert propose(name, diagnosis, Material()), "a patch, or words"


def test_a_stored_patch_is_made_again_as_it_was():
    """What a later loop takes over from the failure memory changes what the first patch changed."""
    stored = JobPatch(
        "scale",
        "s",
        "k",
        hyperparameters={"a": 1, "b": True, "d": "x"},
        wait_seconds=1.5,
        action="release_pool",
    )

    assert patch_of(stored) == Patch(
        "scale", "s", {"a": 1, "b": True, "d": "x"}, wait_seconds=1.5, action="release_pool", key="k"
    )
