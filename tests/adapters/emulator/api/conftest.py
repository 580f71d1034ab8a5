"""Jobs to search among."""

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
