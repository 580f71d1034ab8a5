"""Search over training jobs: by name, status, time, tag, hyperparameter or metric; sorted, in pages.

Tools that follow many jobs at once ask here and not DescribeTrainingJob, job by job. The rules are those of the
operation's own documentation: what a filter may compare, one Contains in an expression, newest first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.api.describe_training_job import describe
from wpfsm.adapters.emulator.api.search_expression import TAGS, Record, kind_of, test_of, values_of
from wpfsm.adapters.emulator.api.wire import page_position
from wpfsm.adapters.emulator.engine.errors import invalid
from wpfsm.adapters.emulator.engine.records import Job, Place, Request
from wpfsm.adapters.emulator.engine.service_model import service
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from botocore.model import StructureShape

DEFAULT_PAGE = 100
NAME = "TrainingJobName"


def search_training_jobs(store: Store, place: Place, request: Request, now: float) -> Request:
    """Answer Search for the resource TrainingJob.

    Raises:
        ServiceError: ValidationException for an expression that the service refuses, or a strange token.
    """
    expression = cast("Request", request.get("SearchExpression", {}))
    test = test_of(expression)
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return _page([], 0, 1)  # nobody shares a job with the accounts of an emulator
    order = _Order.of(request)
    found = []
    for job in _candidates(store, place, expression):
        record = _record(store, job, now)
        if test(record):
            found.append((order.key(record), job.name))
    found.sort(reverse=order.descending)
    start = page_position(str(request.get("NextToken", "0")))
    if start is None:
        raise invalid("Invalid NextToken.")
    size = cast("int", request.get("MaxResults", DEFAULT_PAGE))
    names = [name for _, name in found[start : start + size]]
    results: list[JSONValue] = [
        {"TrainingJob": _record(store, shown, now)} for name in names if (shown := store.job(place, name))
    ]
    return _page(results, len(found), start + size)


def _page(results: list[JSONValue], total: int, end: int) -> Request:
    answer: Request = {"Results": results, "TotalHits": {"Value": total, "Relation": "EqualTo"}}
    if end < total:
        answer["NextToken"] = str(end)
    return answer


def _candidates(store: Store, place: Place, expression: Request) -> Iterator[Job]:
    """Yield the jobs that may match: those that are named, or else every job of the account and region."""
    names = _names(expression)
    if names is None:
        yield from store.jobs_of(place)
        return
    for name in sorted(names):
        if (job := store.job(place, name)) is not None:
            yield job


def _names(expression: Request) -> set[str] | None:
    """Return the only names that can match an expression, None when it does not say."""
    filters = cast("list[dict[str, str]]", expression.get("Filters", []))
    named = [
        set(each.get("Value", "").split(",")) if each.get("Operator") == "In" else {each.get("Value", "")}
        for each in filters
        if each["Name"] == NAME and each.get("Operator", "Equals") in {"Equals", "In"}
    ]
    if expression.get("Operator", "And") == "And":
        return set.intersection(*named) if named else None
    others = expression.get("NestedFilters") or expression.get("SubExpressions")
    return set.union(*named) if named and len(named) == len(filters) and not others else None


@functools.cache
def _shown() -> frozenset[str]:
    """Return the members of a search result, which are fewer than Describe's."""
    return frozenset(cast("StructureShape", service("sagemaker").shape_for("TrainingJob")).members)


def _record(store: Store, job: Job, now: float) -> Record:
    """Return a job as Search shows it: what Describe shows of the members that a search result has, and tags."""
    record = {name: value for name, value in describe(job, now).items() if name in _shown()}
    tags: list[JSONValue] = [{"Key": key, "Value": value} for key, value in store.tags(job.arn).items()]
    return {**record, TAGS: tags}


# Order


@dataclass(frozen=True)
class _Order:
    """By which property results are sorted; a job without it comes after those that have it."""

    name: str
    descending: bool

    @classmethod
    def of(cls, request: Request) -> _Order:
        name = str(request.get("SortBy", "LastModifiedTime"))
        kind_of(name)
        return cls(name, request.get("SortOrder", "Descending") == "Descending")

    def key(self, record: Record) -> tuple[bool, float, str]:
        value = next(values_of(record, self.name), None)
        number = value if isinstance(value, int | float) else 0.0
        present = (value is not None) is self.descending
        return (present, number, "" if value is None else str(value))
