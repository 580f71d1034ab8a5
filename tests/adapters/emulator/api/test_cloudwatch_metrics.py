"""The metrics of training jobs are in CloudWatch, where every client looks for their course over time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.scripted import Script

MINE = {"account": "444455556666"}
NAMESPACE = "/aws/sagemaker/TrainingJobs"
METRICS = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]}
FALLING = Script(seconds=300, lines=[f"loss=0.{9 - step}" for step in range(5)])


def course(stage: Stage, job: str) -> list[float]:
    """Return the averages of a job's loss, minute by minute, as TrainingJobAnalytics asks for them."""
    now = dt.datetime.fromtimestamp(stage.emulator.clock.now(), dt.UTC)  # type: ignore[union-attr]
    answer = stage.client("cloudwatch", **MINE).get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": job}],
        StartTime=now - dt.timedelta(hours=1),
        EndTime=now + dt.timedelta(minutes=1),
        Period=60,
        Statistics=["Average"],
    )
    return [each["Average"] for each in sorted(answer["Datapoints"], key=lambda each: each["Timestamp"])]


def run(stage: Stage, name: str, seconds: float = 400) -> None:
    stage.client("sagemaker", **MINE).create_training_job(**training_job(name, algorithm=METRICS))
    stage.emulator.advance(seconds)  # type: ignore[union-attr]


def test_a_job_s_metric_has_a_course(stage: Stage) -> None:
    """Every value that a job printed, at its time, under the job's name; what is new is added when asked again."""
    stage.show(script=lambda _: FALLING)
    run(stage, "first", 200)
    assert course(stage, "first") == [0.9, 0.8, 0.7]
    stage.emulator.advance(200)  # type: ignore[union-attr]
    assert course(stage, "first") == [0.9, 0.8, 0.7, 0.6, 0.5]
    assert course(stage, "another") == []


def test_metrics_are_listed(stage: Stage) -> None:
    """A console finds the metrics of the namespace by their dimension."""
    stage.show(script=lambda _: FALLING)
    run(stage, "listed")
    (found,) = (
        each
        for each in stage.client("cloudwatch", **MINE).list_metrics(Namespace=NAMESPACE)["Metrics"]
        if each["Dimensions"] == [{"Name": "TrainingJobName", "Value": "listed"}]
    )
    assert found["MetricName"] == "loss"


def test_metrics_survive_a_restart(stage: Stage, tmp_path: Path) -> None:
    """They are in the emulator's own file: the next one tells its CloudWatch of them again."""
    stage.show(script=lambda _: FALLING, state=tmp_path)
    run(stage, "kept")
    store: Any = stage.emulator.engine.store  # type: ignore[union-attr]
    before = store.points(("444455556666", "us-east-1"), 0, 100)
    stage.show(state=tmp_path)
    store = stage.emulator.engine.store  # type: ignore[union-attr]
    assert store.points(("444455556666", "us-east-1"), 0, 100) == before
    assert len(before) == 5
