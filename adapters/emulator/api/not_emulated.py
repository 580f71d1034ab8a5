"""What would run something other than a training job is refused: nothing would run, and "Completed" would be a lie.

moto, the fallback, answers such requests: a processing job is Completed at once, a tuning job has a best job that
never was, an endpoint is InService. What it merely remembers (models, experiments, tags and the like) stays its.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.service_model import service
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MOVES = re.compile(r"(Create|Start|Update|Retry|Invoke)(\w+)")
"""Operations that set something in motion; Describe, List, Stop and Delete find nothing to tell lies about."""

RECORDS = frozenset(
    {
        "Action",
        "Artifact",
        "Context",
        "DataQualityJobDefinition",
        "EndpointConfig",
        "Experiment",
        "FeatureGroup",
        "Model",
        "ModelBiasJobDefinition",
        "ModelCard",
        "ModelExplainabilityJobDefinition",
        "ModelPackage",
        "ModelPackageGroup",
        "ModelQualityJobDefinition",
        "NotebookInstanceLifecycleConfig",
        "Trial",
        "TrialComponent",
    }
)
"""What is complete when it is remembered."""

INVOCATION = re.compile(r"/endpoints/[^/]+/(async-)?invocations(-response-stream)?")
CALL_OF_A_FUNCTION = re.compile(
    r"/20[0-9-]+/functions/[^/]+/(invocations|invoke-async|response-streaming-invocations)/?"
)


def runs_something(operation: str) -> bool:
    """Tell whether an operation of SageMaker would set something in motion that is not emulated."""
    moves = MOVES.fullmatch(operation)
    return moves is not None and moves[2] not in RECORDS


def searches_records(request: Mapping[str, JSONValue]) -> bool:
    """Tell whether a search is for something that the fallback remembers, and not for training jobs."""
    kinds: list[str] = service("sagemaker").shape_for("ResourceType").metadata["enum"]
    return request.get("Resource") in [kind for kind in kinds if kind != "TrainingJob"]


def invocation(environ: WSGIEnvironment) -> str:
    """Return the operation of a request that invokes an endpoint or a function, empty for any other.

    There are no endpoints. A function of a template is remembered, so that a stack can be deployed, and not run.
    """
    path = environ.get("PATH_INFO", "")
    if "AWS4" not in environ.get("HTTP_AUTHORIZATION", ""):
        return ""
    if CALL_OF_A_FUNCTION.fullmatch(path):
        return "Invoke of a function"
    return "InvokeEndpoint" if INVOCATION.fullmatch(path) else ""


def refusal(operation: str) -> ServiceError:
    """Return the answer to an operation that is not offered, in the service's form for an unknown one."""
    why = "The emulator does not offer"
    hint = ""
    if runs_something(operation):
        why = "The emulator runs training jobs and nothing else, so it does not offer"
        hint = " With --switch moto_pretends=yes moto answers some of what it does not run, as if it had run."
    return ServiceError("UnknownOperationException", f"{why} {operation}.{hint}")
