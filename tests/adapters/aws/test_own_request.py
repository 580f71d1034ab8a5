"""Requests that users bring, as other tools write them down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from wpfsm.adapters.aws.first_request import first_request
from wpfsm.adapters.aws.own_request import NOT_ASKED, REPORTED, own_request
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies import Goal
from wpfsm.fsm.strategies.registry import build

REQUEST: dict[str, Any] = {
    "TrainingJobName": "forecast-7",
    "RoleArn": "arn:aws:iam::123456789012:role/Train",
    "AlgorithmSpecification": {"TrainingImage": "acme/train:1", "TrainingInputMode": "File"},
    "HyperParameters": {"rounds": "50"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
    "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 77},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}


def loop_file(more: str = "") -> LoopFile:
    """A loop file around the request."""
    return parse(
        "version: 1\nname: own\npool: {instance_type: ml.c5.xlarge, instance_count: 2, keep_alive: 10m}\n"
        f"job: {{request: request.json{more}}}\n"
    )


def written(folder: Path, request: object) -> Path:
    """The request as a file."""
    path = folder / "request.json"
    path.write_text(request if isinstance(request, str) else json.dumps(request))
    return path


def found(folder: Path, request: object, more: str = "") -> list[str]:
    """What `plan` finds in a request."""
    written(folder, request)
    file = loop_file(more)
    strategy = build(file.strategy, Goal("m", "minimize"), file.job.hyperparameters)
    own = first_request(file, folder / "loop.yaml", strategy)
    return [f"{finding.level}: {finding} {finding.fix}" for finding in own.findings]


def test_a_description_is_taken_without_what_only_the_service_reports(tmp_path: Path) -> None:
    """What `aws sagemaker describe-training-job > request.json` saves can be run again, and the note says what went."""
    described = {
        **REQUEST, "TrainingJobArn": "arn:aws:sagemaker:us-east-1:1:training-job/x", "TrainingJobStatus": "Completed",
        "SecondaryStatusTransitions": [], "BillableTimeInSeconds": 5, "VpcConfig": None, "Environment": {},
    }  # fmt: skip
    (finding,) = found(tmp_path, described)
    assert finding.startswith("warn")
    assert "BillableTimeInSeconds, SecondaryStatusTransitions, TrainingJobArn, TrainingJobStatus" in finding


def test_the_members_that_only_a_description_has_are_botocores() -> None:
    """Kept as a list, so that no model is loaded to read a file; compared with the model here."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    described = model.operation_model("DescribeTrainingJob").output_shape.members
    asked = model.operation_model("CreateTrainingJob").input_shape.members
    assert set(described) - set(asked) <= REPORTED
    assert set(asked).isdisjoint(REPORTED)
    inner = described["ResourceConfig"].members
    assert set(inner) >= NOT_ASKED


@pytest.mark.parametrize(
    ("wrapped", "told"),
    [
        ({"Type": "Task", "Parameters": REQUEST}, "Parameters holds the request"),
        ({"Training": REQUEST}, "Training holds the request"),
        ({"States": {"Train": {"Arguments": REQUEST}}}, "States.Train.Arguments holds the request"),
        (
            {"spec": {"roleARN": "r", "outputDataConfig": {}, "resourceConfig": {}, "algorithmSpecification": {}}},
            "spec holds the request with other spellings",
        ),
    ],
)  # fmt: skip
def test_a_request_inside_another_tools_file_is_pointed_at(
    tmp_path: Path, wrapped: object, told: str
) -> None:
    """Step Functions, Airflow, a whole state machine, a Kubernetes resource."""
    with pytest.raises(Refused, match=told):
        own_request(written(tmp_path, wrapped))


def test_a_dict_that_python_printed_is_told_from_json(tmp_path: Path) -> None:
    """The fix names what wrote it."""
    with pytest.raises(Refused) as refused:
        own_request(written(tmp_path, str(REQUEST)))
    assert "json.dump" in refused.value.fix
