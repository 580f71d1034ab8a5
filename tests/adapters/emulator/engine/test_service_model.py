"""The service's own model, as botocore ships it."""

from __future__ import annotations

import pytest

from wpfsm.adapters.emulator.engine.service_model import input_shape, instance_types, operation


def test_an_operation_that_is_not_the_services_is_none() -> None:
    """A request for it can be refused by name."""
    assert operation("sagemaker", "CreateTrainingJob") is not None
    assert operation("sagemaker", "CreateTrainingJobs") is None
    with pytest.raises(LookupError, match="CreateTrainingJobs"):
        input_shape("sagemaker", "CreateTrainingJobs")


def test_an_operation_without_input_has_no_shape_to_check() -> None:
    """It is an error of who asks, and named."""
    with pytest.raises(LookupError, match="NoSuchOperation"):
        input_shape("sts", "NoSuchOperation")
    assert "TrainingJobName" in input_shape("sagemaker", "CreateTrainingJob").members  # type: ignore[attr-defined]


def test_instance_types_are_those_of_training() -> None:
    """A type that only hosts endpoints is not among them."""
    types = instance_types()
    assert "ml.g5.2xlarge" in types
    assert "ml.t2.medium" not in types
    assert all(name.startswith("ml.") for name in types)
