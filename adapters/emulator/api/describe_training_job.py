"""A job as DescribeTrainingJob and ListTrainingJobs show it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.engine.lifecycle import DEFAULT_MAX_RUNTIME
from wpfsm.adapters.emulator.engine.records import Job, PoolStatus, Request, Transition
from wpfsm.adapters.emulator.engine.service_model import input_shape, service
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from botocore.model import StructureShape

GIVEN_WITH_A_CHANNEL = {"CompressionType": "None", "RecordWrapperType": "None"}
"""What the service shows of an input channel whose request does not say it (seen in its answers)."""


@functools.cache
def _echoed() -> tuple[str, ...]:
    """Return the members of the request that Describe gives back: all but tags and session chaining."""
    request = cast("StructureShape", input_shape("sagemaker", "CreateTrainingJob")).members
    answer = cast("StructureShape", service("sagemaker").shape_for("DescribeTrainingJobResponse")).members
    return tuple(name for name in request if name in answer)


def describe(job: Job, now: float) -> Request:
    """Return the answer of DescribeTrainingJob."""
    answer: dict[str, JSONValue] = {name: job.request[name] for name in _echoed() if name in job.request}
    answer |= job.updates
    answer |= _completed(job.request)
    answer["ResourceConfig"] = _resources(job)
    answer["StoppingCondition"] = {
        "MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME,
        **cast("Request", job.request.get("StoppingCondition", {})),
    }
    for flag in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        answer.setdefault(flag, False)
    answer |= summary(job, now)
    answer["SecondaryStatusTransitions"] = [_transition(each) for each in job.transitions]
    if job.status.terminal:
        answer["ModelArtifacts"] = {"S3ModelArtifacts": job.model or ""}
    if job.reason is not None:
        answer["FailureReason"] = job.reason
    if job.metrics:
        answer["FinalMetricDataList"] = [
            {"MetricName": m.name, "Value": m.value, "Timestamp": m.time} for m in job.metrics
        ]
    return answer | _times(job)


def _completed(request: Request) -> Request:
    """Return the members that the service completes by what was not given; clients index them."""
    output, algorithm = (
        cast("Request", request.get(name, {})) for name in ("OutputDataConfig", "AlgorithmSpecification")
    )
    channels = cast("list[Request]", request.get("InputDataConfig", []))
    completed: Request = {
        "OutputDataConfig": {"KmsKeyId": "", **output},
        "AlgorithmSpecification": {"EnableSageMakerMetricsTimeSeries": False, **algorithm},
        "ProfilingStatus": "Disabled",  # whatever was asked for: nothing is profiled here
    }
    if channels:
        completed["InputDataConfig"] = [{**GIVEN_WITH_A_CHANNEL, **each} for each in channels]
    return completed


def summary(job: Job, now: float) -> Request:
    """Return the job as one row of ListTrainingJobs."""
    row: dict[str, JSONValue] = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
        "TrainingJobStatus": job.status.value,
        "SecondaryStatus": job.secondary.value,
    }
    if job.ended is not None:
        row["TrainingEndTime"] = job.ended
    if (pool := warm_pool_status(job, now)) is not None:
        row["WarmPoolStatus"] = pool
    if "TrainingPlanArn" in job.resources:
        row["TrainingPlanArn"] = job.resources["TrainingPlanArn"]
    return row


def warm_pool_status(job: Job, now: float) -> Request | None:
    """Return the WarmPoolStatus member, None when it is absent."""
    if job.pool_status is None:
        return None
    if job.ended is not None and now < job.ended + job.fate.absent_pool:
        return None
    answer: dict[str, JSONValue] = {"Status": job.pool_status.value}
    if job.pool_status is PoolStatus.AVAILABLE and job.retained_from is not None:
        answer["ResourceRetainedBillableTimeInSeconds"] = int(max(0.0, now - job.retained_from))
    elif job.retained_seconds is not None:
        answer["ResourceRetainedBillableTimeInSeconds"] = job.retained_seconds
    if job.reused_by is not None:
        answer["ReusedByJob"] = job.reused_by
    return answer


def _transition(transition: Transition) -> Request:
    shown: Request = {
        "Status": transition.status,
        "StartTime": transition.start,
        "StatusMessage": transition.message,
    }
    if transition.end is not None:
        shown["EndTime"] = transition.end
    return shown


def _resources(job: Job) -> Request:
    shown = dict(job.resources)
    if job.shown_keep_alive is not None:
        shown["KeepAlivePeriodInSeconds"] = job.shown_keep_alive
    return shown


def _times(job: Job) -> Request:
    """Return start and billed time; both are absent when no instance ever ran."""
    if job.started is None:
        return {}
    answer: dict[str, JSONValue] = {"TrainingStartTime": job.started}
    if job.ended is not None:
        seconds = max(1, round(job.ended - job.started))
        answer["TrainingTimeInSeconds"] = seconds
        answer["BillableTimeInSeconds"] = seconds
    return answer
