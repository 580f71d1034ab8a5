"""The log group of training jobs is among the others, however a client looks for it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import training_job
from emulator_stage import Stage

GROUP = "/aws/sagemaker/TrainingJobs"
MINE = {"account": "555566667777"}


@pytest.fixture
def logs(stage: Stage) -> Any:
    """A logs client of an account that had a job and has groups of its own before and behind ours."""
    stage.client("sagemaker", **MINE).create_training_job(**training_job("j"))
    client = stage.client("logs", **MINE)
    known = {each["logGroupName"] for each in client.describe_log_groups()["logGroups"]}
    for name in {"/aws/lambda/f", "/zoo"} - known:
        client.create_log_group(logGroupName=name)
    return client


def names(answer: Any) -> list[str]:
    return [each["logGroupName"] for each in answer["logGroups"]]


@pytest.mark.parametrize("prefix", ["/", "/aws", "/aws/sagemaker", "/aws/sagemaker/T", GROUP])
def test_every_prefix_finds_it(logs: Any, prefix: str) -> None:
    """From one character to the whole name."""
    assert GROUP in names(logs.describe_log_groups(logGroupNamePrefix=prefix))


@pytest.mark.parametrize("pattern", ["sagemaker", "Training", "/TrainingJobs"])
def test_every_pattern_finds_it(logs: Any, pattern: str) -> None:
    """A part of the name, wherever it stands."""
    assert names(logs.describe_log_groups(logGroupNamePattern=pattern)) == [GROUP]


def test_it_stands_among_the_others(logs: Any) -> None:
    """Without a choice every group is listed, in order."""
    assert names(logs.describe_log_groups()) == ["/aws/lambda/f", GROUP, "/zoo"]


@pytest.mark.parametrize("choice", [{"logGroupNamePrefix": "/zoo"}, {"logGroupNamePattern": "trainingjobs"}])
def test_what_is_not_asked_for_is_not_listed(logs: Any, choice: dict[str, str]) -> None:
    """Another prefix, or a pattern in another case."""
    assert GROUP not in names(logs.describe_log_groups(**choice))


def test_pages_of_one_hold_each_group_once(logs: Any) -> None:
    """A page that is too short for all still leads to all."""
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    found = [name for page in pages for name in names(page)]
    assert sorted(found) == ["/aws/lambda/f", GROUP, "/zoo"]


def test_prefix_and_pattern_exclude_each_other(logs: Any) -> None:
    """As the service says."""
    with pytest.raises(ClientError, match="mutually exclusive"):
        logs.describe_log_groups(logGroupNamePrefix="/aws", logGroupNamePattern="aws")


def test_the_group_is_there_as_soon_as_there_is_a_job(stage: Stage) -> None:
    """A tool that looks for a job's streams before it printed finds none, and no error."""
    account = {"account": "666677778888"}
    client = stage.client("logs", **account)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.describe_log_streams(logGroupName=GROUP)
    stage.client("sagemaker", **account).create_training_job(**training_job("j"))
    assert client.describe_log_streams(logGroupName=GROUP)["logStreams"] == []
