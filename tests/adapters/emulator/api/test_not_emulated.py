"""Nothing is reported as run that did not run: only training jobs run here."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import get_session
from emulator_requests import ROLE, send
from emulator_stage import Stage

from wpfsm.adapters.emulator.api.not_emulated import runs_something
from wpfsm.adapters.emulator.engine.settings import Settings, Switches

REFUSED = (
    "CreateAutoMLJobV2",
    "CreateCluster",
    "CreateCompilationJob",
    "CreateDomain",
    "CreateEndpoint",
    "CreateHyperParameterTuningJob",
    "CreateNotebookInstance",
    "CreatePipeline",
    "CreateProcessingJob",
    "CreateTransformJob",
    "StartNotebookInstance",
    "StartPipelineExecution",
    "UpdateEndpointWeightsAndCapacities",
    "UpdatePipeline",
)
"""Every operation of the fallback that would set something in motion, as of moto 5.2."""

MINE = {"account": "222233334444"}
"""The fallback forgets nothing while the process lives: what is recorded here is in an account of its own."""

PROCESSING: dict[str, Any] = {
    "ProcessingJobName": "p",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": ROLE,
}


@pytest.mark.parametrize("operation", REFUSED)
def test_what_would_run_something_is_refused(stage: Stage, operation: str) -> None:
    """The service's form for an unknown operation, with a sentence that says why and names the switch."""
    assert stage.emulator is not None
    status, answer = send(stage.emulator, "sagemaker", operation, {})
    assert (status, answer["__type"]) == (400, "UnknownOperationException")
    assert operation in answer["message"]
    assert "moto_pretends" in answer["message"]


def test_every_operation_of_the_fallback_is_known_to_run_something_or_not() -> None:
    """One that moto learns must be looked at before it is let through."""
    from moto.sagemaker.responses import SageMakerResponse

    names = get_session().get_service_model("sagemaker").operation_names
    offered = {name for name in names if hasattr(SageMakerResponse, xform_name(name))}
    moving = {name for name in offered if runs_something(name)} - {"CreateTrainingJob"}
    assert moving == set(REFUSED)


def test_a_processing_job_is_not_completed_unless_moto_may_pretend(stage: Stage) -> None:
    """The switch gives the fallback's answer back to those whose tests count on it."""
    with pytest.raises(ClientError, match="runs training jobs and nothing else"):
        stage.client("sagemaker", **MINE).create_processing_job(**PROCESSING)
    assert stage.client("sagemaker", **MINE).list_processing_jobs()["ProcessingJobSummaries"] == []

    stage.show(Settings(switches=dataclasses.replace(Switches(), moto_pretends=True)))
    stage.client("sagemaker", **MINE).create_processing_job(**PROCESSING)
    found = stage.client("sagemaker", **MINE).describe_processing_job(ProcessingJobName="p")
    assert found["ProcessingJobStatus"] == "Completed"


def test_no_endpoint_answers(stage: Stage) -> None:
    """An invocation finds no model behind it, and says so instead of a made-up prediction."""
    with pytest.raises(ClientError) as refused:
        stage.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"1")
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


def test_what_is_only_remembered_stays(stage: Stage) -> None:
    """A model, an endpoint's configuration and an experiment can be recorded: nothing runs for them."""
    sagemaker = stage.client("sagemaker", **MINE)
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"})
    sagemaker.create_experiment(ExperimentName="x")
    assert [each["ModelName"] for each in sagemaker.list_models()["Models"]] == ["m"]
    assert [each["ExperimentName"] for each in sagemaker.list_experiments()["ExperimentSummaries"]] == ["x"]
