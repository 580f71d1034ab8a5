"""Requests that users bring, as other tools write them down."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest
from own_requests import REQUEST, found, written

from wpfsm.adapters.aws.own_request import NOT_ASKED, REPORTED, own_request
from wpfsm.fsm.errors import Refused


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
