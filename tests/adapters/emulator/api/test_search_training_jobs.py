"""Search finds training jobs by what they are, in order and in pages, as the operation's documentation says."""

from __future__ import annotations

from typing import Any

from searches import found


def test_newest_change_comes_first_unless_told_otherwise(jobs: Any) -> None:
    """LastModifiedTime, descending, is the default; any property sorts, and jobs that lack it come last."""
    assert found(jobs) == list("dcba")
    assert found(jobs, SortBy="TrainingJobName", SortOrder="Ascending") == list("abcd")
    assert found(jobs, SortBy="TrainingEndTime", SortOrder="Ascending") == list("abcd")
    assert found(jobs, SortBy="TrainingEndTime") == list("cbad")
    assert found(jobs, SortBy="Metrics.acc", SortOrder="Descending")[0] == "b"


def test_pages_make_the_whole(jobs: Any) -> None:
    """The paginator finds each job once; the total is in every page."""
    pages = list(jobs.get_paginator("search").paginate(Resource="TrainingJob", MaxResults=3))
    assert [len(page["Results"]) for page in pages] == [3, 1]
    assert pages[0]["TotalHits"]["Value"] == 4


def test_a_result_has_what_the_service_shows(jobs: Any) -> None:
    """A result is the job as Describe shows it, with its tags."""
    answer = jobs.search(
        Resource="TrainingJob",
        SearchExpression={"Filters": [{"Name": "TrainingJobName", "Operator": "Equals", "Value": "b"}]},
    )
    (job,) = (each["TrainingJob"] for each in answer["Results"])
    assert job["Tags"] == [{"Key": "team", "Value": "red"}]
    assert job["HyperParameters"] == {"lr": "0.20", "kind": "tree"}
    assert job["FinalMetricDataList"][0]["Value"] == 0.9
