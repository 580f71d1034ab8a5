"""The service models that botocore ships: what each operation accepts, as AWS publishes it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape


@functools.cache
def service(name: str) -> ServiceModel:
    """Return a service's model, for instance ``sagemaker``."""
    from botocore.session import get_session

    return get_session().get_service_model(name)


@functools.cache
def operation(service_name: str, name: str) -> OperationModel | None:
    """Return an operation's model, None when the service has no such operation."""
    model = service(service_name)
    return model.operation_model(name) if name in model.operation_names else None


def input_shape(service_name: str, operation_name: str) -> Shape:
    """Return the shape of an operation's request.

    Raises:
        LookupError: No such operation, or one without input.
    """
    found = operation(service_name, operation_name)
    shape = found.input_shape if found else None
    if shape is None:
        raise LookupError(f"{service_name} has no operation {operation_name} with an input")
    return shape


@functools.cache
def instance_types() -> tuple[str, ...]:
    """Return every instance type that a training job may name."""
    return tuple(service("sagemaker").shape_for("TrainingInstanceType").metadata["enum"])
