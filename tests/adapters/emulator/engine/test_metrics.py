"""What MetricDefinitions find in a job's lines."""

from __future__ import annotations

from typing import Any

from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.scripted import Script


def metrics(stage: Stage, lines: list[str], **expressions: str) -> dict[str, float]:
    """Return the FinalMetricDataList of a job that prints these lines."""
    emulator = stage.show(script=lambda _: Script(seconds=1, lines=lines))
    sagemaker: Any = stage.client("sagemaker")
    definitions = [{"Name": name, "Regex": text} for name, text in expressions.items()]
    sagemaker.create_training_job(**training_job("j", algorithm={"MetricDefinitions": definitions}))
    emulator.advance(10)
    answer = sagemaker.describe_training_job(TrainingJobName="j")
    return {each["MetricName"]: each["Value"] for each in answer.get("FinalMetricDataList", [])}


def test_the_last_number_counts(stage: Stage) -> None:
    """Of several lines the last one with a number is the value; what is no number is none."""
    lines = ["loss=0.5", "loss=0.25 acc=1e-3", "loss=soon", "done"]
    found = metrics(stage, lines, loss=r"loss=(\S+)", acc="acc=([0-9.e-]+)", none="nothing=(.*)", bare="done")
    assert found == {"loss": 0.25, "acc": 0.001}


def test_an_expression_that_takes_for_ever_stops_neither_the_job_nor_the_emulator(stage: Stage) -> None:
    """It is given up, the others are read on, and requests are answered."""
    endless = "a" * 60 + "b"
    found = metrics(stage, ["loss=1", endless, "loss=2"], endless="(a|aa)+$", loss="loss=(.*)")
    assert found == {"loss": 2.0}
