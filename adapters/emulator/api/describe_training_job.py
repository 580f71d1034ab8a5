"""A job as DescribeTrainingJob and ListTrainingJobs show it."""

from __future__ import annotations

from typing import cast

from wpfsm.adapters.emulator.engine.lifecycle import DEFAULT_MAX_RUNTIME
from wpfsm.adapters.emulator.engine.records import Job, PoolStatus, Request, Transition
from wpfsm.adapters.emulator.runner.base import JSONValue

ECHOED = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ExperimentConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "Environment",
    "RetryStrategy",
    "RemoteDebugConfig",
    "InfraCheckConfig",
)
"""Members of the request that Describe gives back; tags and session chaining are not among them."""


def describe(job: Job, now: float) -> Request:
    """Return the answer of DescribeTrainingJob."""
    answer: dict[str, JSONValue] = {name: job.request[name] for name in ECHOED if name in job.request}
    answer |= job.updates
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
    answer |= {
        "ModelArtifacts": {"S3ModelArtifacts": job.model or ""},
        "SecondaryStatusTransitions": [_transition(each) for each in job.transitions],
    }
    if job.reason is not None:
        answer["FailureReason"] = job.reason
    if job.metrics:
        answer["FinalMetricDataList"] = [
            {"MetricName": m.name, "Value": m.value, "Timestamp": m.time} for m in job.metrics
        ]
    return answer | _times(job)


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
