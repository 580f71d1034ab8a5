"""A training job from Create to its end, as every client sees it."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError
from contract_world import FAILS, SLEEPS, World


def test_a_job_runs_to_completed_with_its_last_metric(each_endpoint: World) -> None:
    """A job that succeeds is Completed, has the last value of its metric, and names its model."""
    name = each_endpoint.create()
    answer = each_endpoint.finished(name)
    assert answer["TrainingJobStatus"] == answer["SecondaryStatus"] == "Completed"
    metrics = {m["MetricName"]: m["Value"] for m in answer["FinalMetricDataList"]}
    assert metrics == {"eval_loss": pytest.approx(0.25)}
    assert "FailureReason" not in answer


def test_transitions_lead_from_starting_to_the_end_without_a_gap(each_endpoint: World) -> None:
    """Secondary status transitions begin with Starting, each ends where the next begins, the last is the end."""
    transitions = each_endpoint.finished(each_endpoint.create())["SecondaryStatusTransitions"]
    statuses = [t["Status"] for t in transitions]
    assert statuses[0] == "Starting"
    assert statuses[-1] == "Completed"
    assert statuses.index("Downloading") < statuses.index("Training") < statuses.index("Uploading")
    for earlier, later in itertools.pairwise(transitions):
        assert earlier["EndTime"] == later["StartTime"]
        assert earlier["StatusMessage"]


def test_times_are_ordered_and_the_billed_time_is_start_to_end(endpoint: World) -> None:
    """CreationTime, TrainingStartTime and TrainingEndTime are in order; the billed time is what lies between."""
    answer = endpoint.finished(endpoint.create())
    assert answer["CreationTime"] <= answer["TrainingStartTime"] <= answer["TrainingEndTime"]
    seconds = (answer["TrainingEndTime"] - answer["TrainingStartTime"]).total_seconds()
    assert answer["TrainingTimeInSeconds"] == pytest.approx(seconds, abs=1)
    assert answer["BillableTimeInSeconds"] == pytest.approx(seconds, abs=1)


def test_a_failing_script_gives_its_words_and_its_exit_code(each_endpoint: World) -> None:
    """The content of the failure file becomes an AlgorithmError with the exit code."""
    answer = each_endpoint.finished(each_endpoint.create(does=FAILS))
    assert answer["TrainingJobStatus"] == answer["SecondaryStatus"] == "Failed"
    assert answer["FailureReason"].startswith("AlgorithmError: bad thing")
    assert answer["FailureReason"].endswith("exit code: 3")


def test_a_stopped_job_goes_through_stopping(each_endpoint: World) -> None:
    """StopTrainingJob makes a job Stopping at once and Stopped in the end."""
    name = each_endpoint.create(does=SLEEPS)
    each_endpoint.until(name, lambda a: a["SecondaryStatus"] == "Training")
    each_endpoint.sagemaker.stop_training_job(TrainingJobName=name)
    answer = each_endpoint.finished(name)
    assert answer["TrainingJobStatus"] == answer["SecondaryStatus"] == "Stopped"
    assert "Stopping" in [t["Status"] for t in answer["SecondaryStatusTransitions"]]
    assert "FailureReason" not in answer


def test_stopping_twice_is_no_error_and_stopping_the_finished_is(endpoint: World) -> None:
    """A job that has ended cannot be stopped; the error names its status."""
    name = endpoint.create(does=SLEEPS)
    endpoint.sagemaker.stop_training_job(TrainingJobName=name)
    endpoint.finished(name)
    with pytest.raises(ClientError, match="in status Stopped") as refused:
        endpoint.sagemaker.stop_training_job(TrainingJobName=name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_job_longer_than_its_max_runtime_is_stopped(endpoint: World) -> None:
    """MaxRuntimeInSeconds ends a job as Stopped / MaxRuntimeExceeded, without a failure reason."""
    name = endpoint.create(does=SLEEPS, stopping={"MaxRuntimeInSeconds": 60})
    answer = endpoint.finished(name)
    assert (answer["TrainingJobStatus"], answer["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in answer


def test_describe_gives_the_request_back_but_neither_tags_nor_session_chaining(endpoint: World) -> None:
    """Describe echoes what was asked for; tags are ListTags's, and session chaining is nobody's."""
    request = endpoint.request(
        HyperParameters={"lr": "1e-4"},
        Environment={"SEED": "7"},
        Tags=[{"Key": "loop", "Value": "x"}],
        SessionChainingConfig={"EnableSessionTagChaining": False},
    )
    endpoint.made.append(request["TrainingJobName"])
    endpoint.sagemaker.create_training_job(**request)
    answer = endpoint.describe(request["TrainingJobName"])
    for name in ("HyperParameters", "Environment", "RoleArn", "ResourceConfig", "StoppingCondition"):
        assert answer[name] == request[name]
    assert "Tags" not in answer
    assert "SessionChainingConfig" not in answer


def test_a_name_is_taken_once(each_endpoint: World) -> None:
    """A second job of one name is ResourceInUse, and the first is as it was."""
    name = each_endpoint.create()
    with pytest.raises(each_endpoint.sagemaker.exceptions.ResourceInUse, match="must be unique"):
        each_endpoint.create(name=name, does=FAILS)
    assert each_endpoint.finished(name)["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("operation", "extra"),
    [
        ("describe_training_job", {}),
        ("stop_training_job", {}),
        ("update_training_job", {"ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}),
        ("delete_training_job", {}),
    ],
)
def test_an_unknown_job_is_a_validation_exception(
    endpoint: World, operation: str, extra: dict[str, object]
) -> None:
    """The service answers ValidationException for an unknown name, not the ResourceNotFound of its model."""
    with pytest.raises(ClientError, match="Requested resource not found") as refused:
        getattr(endpoint.sagemaker, operation)(TrainingJobName=f"{endpoint.prefix}-nobody", **extra)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_remote_debug_and_profiler_are_updated_while_a_job_runs(endpoint: World) -> None:
    """UpdateTrainingJob changes them on a running job, which Describe shows, and not on one that has ended."""
    name = endpoint.create(does=SLEEPS)
    endpoint.until(name, lambda a: a["SecondaryStatus"] == "Training")
    update = endpoint.sagemaker.update_training_job
    update(TrainingJobName=name, RemoteDebugConfig={"EnableRemoteDebug": True})
    update(TrainingJobName=name, ProfilerConfig={"DisableProfiler": True})
    answer = endpoint.describe(name)
    assert answer["RemoteDebugConfig"] == {"EnableRemoteDebug": True}
    assert answer["ProfilerConfig"]["DisableProfiler"] is True
    with pytest.raises(ClientError):  # a keep-alive is not for a job that runs
        update(
            TrainingJobName=name,
            ProfilerConfig={"DisableProfiler": False},
            ResourceConfig={"KeepAlivePeriodInSeconds": 0},
        )
    assert endpoint.describe(name)["ProfilerConfig"]["DisableProfiler"] is True
    endpoint.sagemaker.stop_training_job(TrainingJobName=name)
    endpoint.finished(name)
    for changes in ({"RemoteDebugConfig": {"EnableRemoteDebug": False}}, {"ProfilerConfig": {}}):
        with pytest.raises(ClientError) as refused:
            update(TrainingJobName=name, **changes)
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_deleted_job_is_gone_and_its_name_free(endpoint: World) -> None:
    """DeleteTrainingJob forgets a job that has ended, and its tags; its name may be used again."""
    name = endpoint.create(keep_alive=None, Tags=[{"Key": "loop", "Value": "x"}])
    arn = endpoint.describe(name)["TrainingJobArn"]
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceInUse):
        endpoint.sagemaker.delete_training_job(TrainingJobName=name)
    endpoint.finished(name)
    endpoint.sagemaker.delete_training_job(TrainingJobName=name)
    with pytest.raises(ClientError, match="not found"):
        endpoint.describe(name)
    assert endpoint.create(name=name) == name
    assert endpoint.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
