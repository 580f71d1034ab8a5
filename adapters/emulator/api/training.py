"""The training job operations, as requests and answers."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from wpfsm.adapters.emulator.api.create_rules import check_create, check_keep_alive
from wpfsm.adapters.emulator.api.describe_training_job import describe
from wpfsm.adapters.emulator.api.list_training_jobs import list_training_jobs
from wpfsm.adapters.emulator.api.operations import Call, EngineApi, Operation
from wpfsm.adapters.emulator.api.search_training_jobs import search_training_jobs
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ServiceError, invalid, not_found
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.runner.base import JSONValue

MAX_TAGS = 50
PROFILING = ("ProfilerConfig", "ProfilerRuleConfigurations")
UPDATED = (*PROFILING, "RemoteDebugConfig")
"""What UpdateTrainingJob changes besides the keep-alive."""


class TrainingApi(EngineApi):
    """Answers SageMaker operations on training jobs."""

    def __init__(self, engine: Engine) -> None:
        operations: dict[str, Operation] = {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._describe,
            "ListTrainingJobs": self._list,
            "StopTrainingJob": self._stop,
            "UpdateTrainingJob": self._update,
            "DeleteTrainingJob": self._delete,
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
            "DeleteTags": self._delete_tags,
            "Search": self._search,
        }
        super().__init__(engine, operations)

    def _create(self, call: Call, now: float) -> Request:
        check_create(call.request, self._engine.settings.switches)
        tags = _tags(call.request)
        _check_tags(tags)
        request = {name: value for name, value in call.request.items() if name != "Tags"}
        job = self._engine.jobs.create(call.place, request, call.faults.fate(), call.session_tags, now)
        self._engine.store.add_tags(job.arn, tags)
        return {"TrainingJobArn": job.arn}

    def _describe(self, call: Call, now: float) -> Request:
        job = self._engine.jobs.get(call.place, call.job)
        return describe(self._engine.pools.seen(job, now), now)

    def _list(self, call: Call, now: float) -> Request:
        switches = self._engine.settings.switches
        return list_training_jobs(self._engine.store, switches, call.place, call.request, now)

    def _search(self, call: Call, now: float) -> Request:
        return search_training_jobs(self._engine.store, call.place, call.request, now)

    def _stop(self, call: Call, now: float) -> Request:
        self._engine.jobs.stop(self._engine.jobs.get(call.place, call.job), now)
        return {}

    def _update(self, call: Call, now: float) -> Request:
        if set(call.request) == {"TrainingJobName"}:
            raise invalid("Invalid UpdateTrainingJobRequest, the request cannot be empty")
        job = self._engine.jobs.get(call.place, call.job)
        if "RemoteDebugConfig" in call.request and job.secondary not in {"Downloading", "Training"}:
            raise invalid("RemoteDebugConfig can only be updated while the job is Downloading or Training.")
        for name in PROFILING:
            if name in call.request and job.status.terminal:
                raise invalid(f"{name} cannot be updated: the training job is in status {job.status}.")
        resources = cast("Request | None", call.request.get("ResourceConfig"))
        if resources is not None:  # first, because it may be refused: an update is done whole or not at all
            seconds = cast("int", resources["KeepAlivePeriodInSeconds"])
            check_keep_alive(seconds, self._engine.settings.switches)
            job = self._engine.pools.update(job, seconds, now)
        updates = {name: call.request[name] for name in UPDATED if name in call.request}
        if updates:
            job = replace(job, updates=job.updates | updates, modified=now)
            self._engine.store.save_job(job)
        return {"TrainingJobArn": job.arn}

    def _delete(self, call: Call, _: float) -> Request:
        self._engine.jobs.delete(self._engine.jobs.get(call.place, call.job))
        return {}

    # Tags

    def owns(self, arn: str) -> bool:
        """Tell whether an ARN is of a training job, whose tags are kept here."""
        return ":training-job/" in arn

    def _arn(self, call: Call) -> str:
        arn = str(call.request["ResourceArn"])
        region, account, resource = arn.split(":", 5)[3:]
        name = resource.partition("/")[2]
        if (account, region) != call.place or self._engine.store.job(call.place, name) is None:
            raise not_found()
        return arn

    def _add_tags(self, call: Call, _: float) -> Request:
        arn = self._arn(call)
        merged = self._engine.store.tags(arn) | _tags(call.request)
        _check_tags(merged)
        if len(merged) > MAX_TAGS:
            raise ServiceError("ResourceLimitExceeded", f"A resource has at most {MAX_TAGS} tags.")
        self._engine.store.add_tags(arn, merged)
        return {"Tags": _listed(merged)}

    def _list_tags(self, call: Call, _: float) -> Request:
        return {"Tags": _listed(self._engine.store.tags(self._arn(call)))}

    def _delete_tags(self, call: Call, _: float) -> Request:
        self._engine.store.delete_tags(self._arn(call), cast("list[str]", call.request["TagKeys"]))
        return {}


def _tags(request: Request) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in cast("list[dict[str, str]]", request.get("Tags", []))}


def _check_tags(tags: dict[str, str]) -> None:
    if reserved := [key for key in tags if key.lower().startswith("aws:")]:
        raise invalid(f"The tag key {reserved[0]} is reserved: aws: prefixed tag key names are not allowed.")


def _listed(tags: dict[str, str]) -> JSONValue:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
