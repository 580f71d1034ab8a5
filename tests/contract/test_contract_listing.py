"""ListTrainingJobs: filters, orders and pages that may be short, or empty, before the end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract_world import FAILS, World


def pages(world: World, **request: Any) -> list[list[str]]:
    """Return the names on each page of this test's jobs, following every token."""
    found, token = [], {}
    while True:
        answer = world.sagemaker.list_training_jobs(NameContains=world.prefix, **request, **token)
        found.append([row["TrainingJobName"] for row in answer["TrainingJobSummaries"]])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def names(world: World, **request: Any) -> list[str]:
    """Return the names on all pages."""
    return [name for page in pages(world, **request) for name in page]


@pytest.fixture
def jobs(endpoint: World) -> list[str]:
    """Five jobs that have ended one after another: two succeed, one fails, two succeed."""
    made = []
    for does in ({}, {}, {"does": FAILS}, {}, {}):
        made.append(endpoint.create(keep_alive=None, **does))
        endpoint.finished(made[-1])
    return made


def test_the_default_order_is_by_creation_ascending(endpoint: World, jobs: list[str]) -> None:
    """Without SortBy and SortOrder the oldest job is first."""
    assert names(endpoint) == jobs


def test_sorting(endpoint: World, jobs: list[str]) -> None:
    """SortBy and SortOrder order by name, time and status."""
    assert names(endpoint, SortOrder="Descending") == jobs[::-1]
    assert names(endpoint, SortBy="Name", SortOrder="Descending") == sorted(jobs, reverse=True)
    assert names(endpoint, SortBy="Status")[-1] == jobs[2]


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("by", ["Name", "CreationTime", "Status"])
def test_pages_make_the_whole(endpoint: World, jobs: list[str], by: str, order: str) -> None:
    """Whatever the order, pages of two hold every job once, in the order of one big page."""
    small = pages(endpoint, SortBy=by, SortOrder=order, MaxResults=2)
    assert [len(page) for page in small] == [2, 2, 1]
    assert [name for page in small for name in page] == names(endpoint, SortBy=by, SortOrder=order)


def test_status_is_filtered_after_the_page_is_picked(endpoint: World, jobs: list[str]) -> None:
    """A page whose rows all have another status is empty and still carries a token."""
    found = pages(endpoint, MaxResults=1, StatusEquals="Failed")
    assert found == [[], [], [jobs[2]], [], []]


def test_filters_by_time_and_name(endpoint: World, jobs: list[str]) -> None:
    """CreationTimeAfter and CreationTimeBefore cut the list; NameContains is a substring."""
    middle = endpoint.describe(jobs[2])["CreationTime"]
    second = dt.timedelta(seconds=1)
    assert names(endpoint, CreationTimeAfter=middle + second) == jobs[3:]
    assert names(endpoint, CreationTimeBefore=middle - second) == jobs[:2]
    last = endpoint.describe(jobs[3])["LastModifiedTime"]
    assert names(endpoint, LastModifiedTimeAfter=last + second) == jobs[4:]
    assert names(endpoint, LastModifiedTimeBefore=last - second) == jobs[:3]
    answer = endpoint.sagemaker.list_training_jobs(NameContains=jobs[1][-10:])
    assert jobs[1] in [row["TrainingJobName"] for row in answer["TrainingJobSummaries"]]


def test_pools_are_found_by_their_status(endpoint: World) -> None:
    """WarmPoolStatusEquals finds the jobs that hold an Available pool, whatever page they are on."""
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    second = endpoint.create()
    endpoint.finished_with_pool(second)
    assert names(endpoint, WarmPoolStatusEquals="Available", MaxResults=1) == [second]
    assert names(endpoint, WarmPoolStatusEquals="Reused") == [first]


def test_jobs_are_found_by_their_training_plan(endpoint: World) -> None:
    """TrainingPlanArnEquals finds the jobs of a plan, and no other."""
    if endpoint.emulator is None:
        pytest.skip("a plan of a real account costs more than a test may")
    plan = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/mine"
    planned = endpoint.create(keep_alive=None, resources={"TrainingPlanArn": plan})
    endpoint.create(keep_alive=None)
    assert names(endpoint, TrainingPlanArnEquals=plan) == [planned]
    assert names(endpoint, TrainingPlanArnEquals=plan + "-2") == []


def test_a_row_says_what_describe_says(endpoint: World) -> None:
    """A summary agrees with Describe in every member that it has."""
    name = endpoint.create()
    whole = endpoint.finished_with_pool(name)
    (row,) = endpoint.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    del row["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"]  # it grows between two calls
    assert row["WarmPoolStatus"] == {"Status": "Available"}
    for member in set(row) - {"WarmPoolStatus"}:
        assert row[member] == whole[member]


def test_a_made_up_token_is_refused(endpoint: World) -> None:
    """A NextToken that no page gave is a ValidationException."""
    with pytest.raises(ClientError) as refused:
        endpoint.sagemaker.list_training_jobs(NextToken="bm90LWEtdG9rZW4=")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
