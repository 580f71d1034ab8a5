"""A run that is too long is halved where its length is known."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import diagnose
from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.patches import Material, Patch, propose

TIME_LIMIT = diagnose(Evidence(secondary_status="MaxRuntimeExceeded"))


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"epochs": 3}, {"epochs": 1}),
        ({"num_train_epochs": 3.0}, {"num_train_epochs": 1.5}),
        ({"epochs": 3, "max_steps": 1000}, {"max_steps": 500}),
        ({"epochs": 4, "max_steps": -1}, {"epochs": 2}),
        ({"epochs": 1}, None),
        ({}, None),
    ],
)
def test_a_run_that_is_too_long_is_halved(before, change):
    """Steps where they bound the run, else epochs."""
    patch = propose("shorten", TIME_LIMIT, Material(hyperparameters=before))

    assert (dict(patch.hyperparameters) if isinstance(patch, Patch) else None) == change
