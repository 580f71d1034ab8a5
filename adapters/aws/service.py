"""SageMaker training through boto3, behind :class:`wpfsm.fsm.ports.TrainingService`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wpfsm.adapters.aws.errors import complete, translated, understood
from wpfsm.fsm.errors import NameTaken, Rejected, Unknown
from wpfsm.fsm.ports import (
    Identity,
    JobPage,
    JobReading,
    JobSummary,
    PoolReading,
    Request,
    Transition,
    Violation,
)

if TYPE_CHECKING:
    from wpfsm.adapters.aws.clients import Clients

PAGE = 100
"""MaxResults of ListTrainingJobs: the account may list twice a second, so pages are as large as they can be."""

_REQUEST_MEMBERS = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "HyperParameters",
    "Environment",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "CheckpointConfig",
)


class SageMakerTraining:
    """One account and region, or whatever endpoint stands for it."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def identity(self) -> Identity:
        """Account and principal, from STS."""
        with translated("GetCallerIdentity"):
            answer = self._clients.sts.get_caller_identity()
        complete(answer, "GetCallerIdentity", "Account", "Arn")
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def violations(self, request: Request) -> Sequence[Violation]:
        """What botocore's model of the service refuses in a request."""
        from wpfsm.adapters.aws.model_validation import violations

        return violations(request, self._clients.sagemaker.meta.service_model)

    def create(self, request: Request) -> str:
        """CreateTrainingJob.

        Raises:
            NameTaken: A job of this name exists; botocore's or our own earlier try may have made it.
            Rejected: The service refused the request.
            Unknown: No answer; the job may exist.
        """
        arguments: dict[str, Any] = dict(request)
        try:
            with translated("CreateTrainingJob"):
                answer: Mapping[str, Any] = self._clients.sagemaker.create_training_job(**arguments)
        except Rejected as error:
            # The wording of a taken name has changed before; the code is what is tested.
            if error.code == "ResourceInUse":
                raise NameTaken(error.code, error.message, operation=error.operation) from error
            raise
        complete(answer, "CreateTrainingJob", "TrainingJobArn")
        arn: str = answer["TrainingJobArn"]
        return arn

    def describe(self, name: str) -> JobReading | None:
        """DescribeTrainingJob; None when the service says that there is no such job.

        The model names ResourceNotFound; the service answers ValidationException "Requested resource not
        found." Anything else is not absence.
        """
        try:
            with translated("DescribeTrainingJob"):
                answer: Mapping[str, Any] = self._clients.sagemaker.describe_training_job(
                    TrainingJobName=name
                )
        except Rejected as error:
            if error.code == "ResourceNotFound" or "resource not found" in error.message.lower():
                return None
            raise Unknown(error.code, error.message, operation=error.operation) from error
        complete(answer, "DescribeTrainingJob", "TrainingJobArn", "TrainingJobStatus")
        with understood("DescribeTrainingJob"):
            return reading(answer)

    def tags(self, arn: str) -> Mapping[str, str]:
        """ListTags, every page."""
        found: dict[str, str] = {}
        token = ""
        while True:
            with translated("ListTags", known=frozenset()):
                client = self._clients.sagemaker
                answer = (
                    client.list_tags(ResourceArn=arn, NextToken=token)
                    if token
                    else client.list_tags(ResourceArn=arn)
                )
            complete(answer, "ListTags", "Tags")
            for tag in answer["Tags"]:
                complete(tag, "ListTags", "Key", "Value")
                found[tag["Key"]] = tag["Value"]
            token = answer.get("NextToken", "")
            if not token:
                return found

    def stop(self, name: str) -> None:
        """StopTrainingJob. The pool, if any, stays."""
        with translated("StopTrainingJob"):
            self._clients.sagemaker.stop_training_job(TrainingJobName=name)

    def set_keep_alive(self, name: str, seconds: int) -> None:
        """UpdateTrainingJob. The SDK's own update drops a 0; boto3 sends it."""
        with translated("UpdateTrainingJob"):
            self._clients.sagemaker.update_training_job(
                TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": seconds}
            )

    def list_jobs(
        self, *, name_contains: str | None = None, pool_status: str | None = None, status: str | None = None
    ) -> Iterator[JobSummary]:
        """ListTrainingJobs, newest first. Filters apply after paging: only the token's absence is the end."""
        token = ""
        while True:
            page = self._page(
                token, NameContains=name_contains, WarmPoolStatusEquals=pool_status, StatusEquals=status
            )
            yield from page.jobs
            token = page.token
            if not token:
                return

    def job_page(
        self,
        token: str = "",
        *,
        pool_status: str | None = None,
        status: str | None = None,
        created_after: float | None = None,
    ) -> JobPage:
        """One page of ListTrainingJobs, newest first."""
        after = None if created_after is None else datetime.fromtimestamp(created_after, UTC)
        return self._page(
            token, WarmPoolStatusEquals=pool_status, StatusEquals=status, CreationTimeAfter=after
        )

    def _page(self, token: str, **filters: Any) -> JobPage:
        arguments: dict[str, Any] = {"MaxResults": PAGE, "SortBy": "CreationTime", "SortOrder": "Descending"}
        arguments |= {name: value for name, value in filters.items() if value is not None}
        arguments |= {"NextToken": token} if token else {}
        with translated("ListTrainingJobs", known=frozenset()):
            answer = self._clients.sagemaker.list_training_jobs(**arguments)
        complete(answer, "ListTrainingJobs", "TrainingJobSummaries")
        for row in answer["TrainingJobSummaries"]:
            complete(row, "ListTrainingJobs", "TrainingJobName", "TrainingJobArn")
        with understood("ListTrainingJobs"):
            rows = tuple(
                JobSummary(
                    name=row["TrainingJobName"],
                    arn=row["TrainingJobArn"],
                    status=row.get("TrainingJobStatus", ""),
                    created_at=_epoch(row.get("CreationTime")) or 0.0,
                    ended_at=_epoch(row.get("TrainingEndTime")),
                    pool=_pool(row.get("WarmPoolStatus")),
                )
                for row in answer["TrainingJobSummaries"]
            )
        return JobPage(rows, answer.get("NextToken") or "", len(rows) >= PAGE)


def reading(answer: Mapping[str, Any]) -> JobReading:
    """A DescribeTrainingJob answer; members that are absent stay unknown."""
    return JobReading(
        name=answer.get("TrainingJobName", ""),
        arn=answer.get("TrainingJobArn", ""),
        status=answer.get("TrainingJobStatus", ""),
        secondary_status=answer.get("SecondaryStatus", ""),
        failure_reason=answer.get("FailureReason", ""),
        created_at=_epoch(answer.get("CreationTime")),
        training_started_at=_epoch(answer.get("TrainingStartTime")),
        ended_at=_epoch(answer.get("TrainingEndTime")),
        training_seconds=_seconds(answer.get("TrainingTimeInSeconds")),
        billable_seconds=_seconds(answer.get("BillableTimeInSeconds")),
        transitions=tuple(
            Transition(
                status=t.get("Status", ""),
                started_at=_epoch(t.get("StartTime")) or 0.0,
                ended_at=_epoch(t.get("EndTime")),
                message=t.get("StatusMessage", ""),
            )
            for t in answer.get("SecondaryStatusTransitions", [])
        ),
        metrics={
            m["MetricName"]: float(m["Value"])
            for m in answer.get("FinalMetricDataList", [])
            if "MetricName" in m and "Value" in m
        },
        pool=_pool(answer.get("WarmPoolStatus")),
        artifact=(answer.get("ModelArtifacts") or {}).get("S3ModelArtifacts", ""),
        request={member: answer[member] for member in _REQUEST_MEMBERS if member in answer},
    )


def _pool(status: Mapping[str, Any] | None) -> PoolReading | None:
    if not status or not status.get("Status"):
        return None
    return PoolReading(
        status=status["Status"],
        retained_seconds=_seconds(status.get("ResourceRetainedBillableTimeInSeconds")),
        reused_by=status.get("ReusedByJob") or None,
    )


def _epoch(value: object) -> float | None:
    return value.timestamp() if isinstance(value, datetime) else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
