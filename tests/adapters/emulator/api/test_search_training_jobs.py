"""Search finds training jobs by what they are, in order and in pages, as the operation's documentation says."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.scripted import Script

DATA = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://cats/data"}}}


@pytest.fixture
def jobs(stage: Stage) -> Any:
    """Three jobs that ended, one after the other, and one that runs."""
    stage.show(
        script=lambda launch: Script(
            seconds=10 if launch.name != "d" else 1000,
            lines=["acc=0.9" if launch.name == "b" else "acc=0.5"],
            exit_code=int(launch.name == "c"),
        )
    )
    sagemaker = stage.client("sagemaker")
    for number, name in enumerate("abcd"):
        request = training_job(
            name,
            algorithm={"MetricDefinitions": [{"Name": "acc", "Regex": "acc=([0-9.]+)"}]},
            HyperParameters={"lr": f"0.{number + 1}0", "kind": "tree"},
            Tags=[{"Key": "team", "Value": "red" if number < 2 else "blue"}],
        )
        if name == "a":
            request["InputDataConfig"] = [{"ChannelName": "train", **DATA}]
        sagemaker.create_training_job(**request)
        assert stage.emulator is not None
        stage.emulator.advance(100)
    return sagemaker


def found(sagemaker: Any, *filters: tuple[str, str, str], operator: str = "And", **more: Any) -> list[str]:
    """Return the names of the jobs that a search finds, in its order."""
    conditions = [{"Name": n, "Operator": o} | ({"Value": v} if v else {}) for n, o, v in filters]
    expression = {"SearchExpression": {"Filters": conditions, "Operator": operator}} if conditions else {}
    answer = sagemaker.search(Resource="TrainingJob", **expression, **more)
    return [each["TrainingJob"]["TrainingJobName"] for each in answer["Results"]]


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
