"""Reads the CreateTrainingJob request that a user brings, whatever wrote it down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wpfsm.fsm.errors import Refused
from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import JSON

REPORTED = frozenset(
    {
        "AutoMLJobArn",
        "BillableTimeInSeconds",
        "BillableTokenCount",
        "CreationTime",
        "DebugRuleEvaluationStatuses",
        "FailureReason",
        "FinalMetricDataList",
        "LabelingJobArn",
        "LastModifiedTime",
        "MlflowDetails",
        "ModelArtifacts",
        "OutputModelPackageArn",
        "ProfilerRuleEvaluationStatuses",
        "ProfilingStatus",
        "ProgressInfo",
        "ResponseMetadata",
        "SecondaryStatus",
        "SecondaryStatusTransitions",
        "TrainingEndTime",
        "TrainingJobArn",
        "TrainingJobStatus",
        "TrainingStartTime",
        "TrainingTimeInSeconds",
        "TuningJobArn",
        "WarmPoolStatus",
    }
)
"""Members of a description that no request has: DescribeTrainingJob without CreateTrainingJob."""

NOT_ASKED = frozenset({"SelectedInstanceType", "SelectedInstanceCount"})
"""The same within ResourceConfig."""

_NEEDED = ("RoleArn", "OutputDataConfig", "AlgorithmSpecification", "ResourceConfig")
_DEPTH = 4


def own_request(path: Path) -> tuple[Request, tuple[str, ...]]:
    """A CreateTrainingJob request that the user brings, without its name.

    Returns:
        The request, and the members that were left out of it: what only the service reports, as in the output of
        ``aws sagemaker describe-training-job``.

    Raises:
        Refused: It cannot be read, or is not a JSON object with the members a job needs.
    """
    request = _read(path)
    # A serverless request has neither algorithm nor instances; it is refused by name where it is checked.
    needed = _NEEDED[:2] if "ServerlessJobConfig" in request else _NEEDED
    if missing := [member for member in needed if member not in request]:
        wrapped = next(_wrapped(request, ""), None)
        raise Refused(
            f"job.request: {path} lacks {', '.join(missing)}" + (f"; {wrapped}" if wrapped else ""),
            fix="save what it holds as a file of its own, and give that as job.request"
            if wrapped
            else "wpfsm init --from-job NAME writes one",
        )
    described = "TrainingJobArn" in request or "TrainingJobStatus" in request
    left_out = sorted(REPORTED & request.keys()) if described else []
    kept = {
        name: value
        for name, value in request.items()
        # A description gives what was never asked for as nothing at all.
        if name != "TrainingJobName" and name not in left_out and not (described and value in (None, {}, []))
    }
    kept.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": 3600})
    resources = kept.get("ResourceConfig")
    if described and isinstance(resources, Mapping):
        kept["ResourceConfig"] = {n: value for n, value in resources.items() if n not in NOT_ASKED}
    return kept, tuple(left_out)


def _read(path: Path) -> dict[str, JSON]:
    fix = "give a JSON file with a CreateTrainingJob request"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"job.request: {path}: {error}", fix=fix) from error
    try:
        request: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith(("{'", "dict(")):
            fix = "it is written as Python writes a dict; write it with json.dump(request, file) instead"
        raise Refused(f"job.request: {path} is not JSON: {error}", fix=fix) from error
    if not isinstance(request, dict):
        raise Refused(f"job.request: {path} is not a JSON object", fix=fix)
    return request


def _wrapped(node: JSON, place: str, depth: int = 0) -> Iterator[str]:
    """Where a request stands inside what another tool needs around it: Step Functions, Airflow, a CRD, a tuner."""
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return
    for name, inner in node.items():
        here = f"{place}.{name}" if place else name
        if isinstance(inner, Mapping):
            if len(set(_NEEDED) & inner.keys()) > 1:
                yield f"{here} holds the request"
            elif len({member.lower() for member in _NEEDED} & {str(key).lower() for key in inner}) > 1:
                yield f"{here} holds the request with other spellings of its members (the API's are {', '.join(_NEEDED)})"
            yield from _wrapped(inner, here, depth + 1)
