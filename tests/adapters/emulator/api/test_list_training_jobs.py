"""ListTrainingJobs: pages are cut first and filtered after, and a token belongs to its own list."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import training_job
from emulator_stage import Stage


@pytest.fixture
def five(stage: Stage, sagemaker: Any) -> Any:
    """Jobs a to e, made in this order a second apart; c was stopped, the others are done."""
    assert stage.emulator is not None
    for name in "abcde":
        sagemaker.create_training_job(**training_job(name, keep_alive=None))
        stage.emulator.advance(1)
    sagemaker.stop_training_job(TrainingJobName="c")
    stage.emulator.advance(1000)
    return sagemaker


def names(answer: Any) -> str:
    return "".join(job["TrainingJobName"] for job in answer["TrainingJobSummaries"])


def pages(sagemaker: Any, **request: Any) -> list[str]:
    found, token = [], {}
    while True:
        answer = sagemaker.list_training_jobs(MaxResults=2, **request, **token)
        found.append(names(answer))
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["ab", "cd", "e"]),
        ({"SortOrder": "Descending"}, ["ed", "cb", "a"]),
        ({"SortBy": "Name", "SortOrder": "Descending"}, ["ed", "cb", "a"]),
        ({"NameContains": "d"}, ["d"]),
        ({"StatusEquals": "Stopped"}, ["", "c", ""]),
    ],
)
def test_pages_make_the_whole(five: Any, request_: dict[str, Any], expected: list[str]) -> None:
    """Each job once, in the order that was asked for; a page without one that fits is empty, and not the last."""
    assert pages(five, **request_) == expected


def test_times_bound_the_list(five: Any) -> None:
    """Jobs of before and of after a moment."""
    at = five.describe_training_job(TrainingJobName="c")["CreationTime"]
    assert names(five.list_training_jobs(CreationTimeAfter=at)) == "cde"
    assert names(five.list_training_jobs(CreationTimeBefore=at)) == "abc"


def test_a_token_of_another_order_or_of_nobody_is_refused(five: Any) -> None:
    """It would leave jobs out without a word."""
    token = five.list_training_jobs(MaxResults=2)["NextToken"]
    for wrong in ({"NextToken": token, "SortBy": "Name"}, {"NextToken": "AAAA"}):
        with pytest.raises(ClientError, match="Invalid NextToken"):
            five.list_training_jobs(MaxResults=2, **wrong)
