"""``init``: the loop file that it writes is one that `plan` accepts, also from a job that ran."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_bench import Bench

from wpfsm.adapters.verbs.init import loop_file_text, own_request
from wpfsm.fsm.costs.limits import Allowance, Spent, admit
from wpfsm.fsm.loopfile.load import load, parse
from wpfsm.fsm.loopfile.model import LoopFile


def job(**members: Any) -> dict[str, Any]:
    """A job as DescribeTrainingJob has it."""
    return {
        "RoleArn": "arn:aws:iam::123456789012:role/Train",
        "AlgorithmSpecification": {"TrainingImage": "acme/train:1", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **members,
    }


def made(**members: Any) -> LoopFile:
    """The loop file of such a job."""
    return parse(loop_file_text("my-job", job(**members), "aws", "us-east-1"))


@pytest.mark.parametrize("seconds", [60, 3600, 86400, 5 * 86400])
def test_its_limits_admit_one_job_of_its_length(seconds: int) -> None:
    """A day is the default of many estimators; a file that is refused as soon as it is written helps nobody."""
    from wpfsm.adapters.aws.prices import built_in_table

    file = made(StoppingCondition={"MaxRuntimeInSeconds": seconds})
    price = built_in_table().price("us-east-1", "ml.g5.xlarge")
    assert price is not None
    limits = Allowance(
        file.limits.max_jobs, file.limits.max_cost, file.limits.max_wall, file.limits.max_failures
    )
    assert admit(
        limits, Spent(), max_runtime=file.job.max_runtime, keep_alive=600, price_per_hour=price.usd_per_hour,
        instance_count=1,
    ) is None  # fmt: skip


def definitions(*names: str) -> dict[str, Any]:
    """An algorithm that reports these metrics."""
    return {"TrainingImage": "a", "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": name, "Regex": f"{name}=(.*)"} for name in names]}  # fmt: skip


@pytest.mark.parametrize(
    ("names", "objective", "name", "goal"),
    [
        (("train:loss", "validation:f1"), "", "validation:f1", "maximize"),
        (("train:rmse", "eval_loss"), "", "eval_loss", "minimize"),
        (("train:auc", "validation:auc"), "train:auc", "train:auc", "maximize"),
        (("loss", "acc"), '"acc"', "acc", "maximize"),
        (("loss", "other"), "", "loss", "minimize"),
        (("mapped_loss",), "", "mapped_loss", "minimize"),
    ],
)
def test_the_metric_is_what_a_tuner_compared_by_else_a_validation_metric(
    names: tuple[str, ...], objective: str, name: str, goal: str
) -> None:
    """The training loss comes first in most lists, and is hardly ever what is wanted."""
    tuned = {"_tuning_objective_metric": objective} if objective else {}
    file = made(AlgorithmSpecification=definitions(*names), HyperParameters=tuned)
    assert file.metric is not None
    assert (file.metric.name, file.metric.goal) == (name, goal)
    assert file.job.hyperparameters == {}


def test_hyperparameters_are_sent_as_the_job_had_them() -> None:
    """1.10 of a container that reads text stays 1.10; in script mode a list stays in the request."""
    plain = made(HyperParameters={"version": "1.10", "depth": "6", "flag": "TRUE", "lr": "1e-4"})
    assert dict(plain.job.hyperparameters) == {"version": "1.10", "depth": 6, "flag": "TRUE", "lr": "1e-4"}
    script = made(HyperParameters={
        "sagemaker_program": '"train.py"', "tag": '"1.10"', "epochs": "3", "layers": "[64, 32]",
    })  # fmt: skip
    assert dict(script.job.hyperparameters) == {"tag": "1.10", "epochs": 3}


def test_spot_is_left_out_of_the_request() -> None:
    """A warm pool cannot be had for it, and the time to wait goes with it."""
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    request = own_request(job(EnableManagedSpotTraining=True, StoppingCondition=stopping))
    assert "EnableManagedSpotTraining" not in request
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 60}


def test_init_writes_a_loop_file_that_is_valid(alone: Bench):
    """The commented file passes as it stands, and names the next command."""
    ran = alone.run("init")
    assert ran.code == 0
    assert ran.out == "loop.yaml\n"
    assert "wpfsm plan loop.yaml" in ran.err
    assert load(alone.folder / "loop.yaml").strategy.type == "sweep"
    assert "#" in (alone.folder / "loop.yaml").read_text()


def test_init_never_writes_over_a_file(alone: Bench):
    """What somebody wrote stays, unless --force says otherwise."""
    file = alone.folder / "mine.yaml"
    file.write_text("mine")
    ran = alone.run("init", "mine.yaml")
    assert ran.code == 2
    assert "--force" in ran.err
    assert file.read_text() == "mine"
    assert alone.run("init", "mine.yaml", "--force").code == 0
    assert file.read_text() != "mine"


def test_init_from_a_job_makes_a_loop_that_runs(finished: Bench, bench: Bench):
    """A job that ran becomes a request and a loop file around it, and the loop runs without the SDK."""
    job = finished.document("sweep")["jobs"][1]["name"]
    ran = bench.run("init", "--from-job", job, "--backend", "local", "again.yaml", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["files"] == ["again.yaml", "create_training_job.json"]
    request = json.loads((bench.folder / "create_training_job.json").read_text())
    assert "KeepAlivePeriodInSeconds" not in request["ResourceConfig"]
    file = load(bench.folder / "again.yaml")
    assert file.pool.role == "arn:aws:iam::123456789012:role/sweep"
    assert file.job.hyperparameters == {"lr": 0.01}
    assert file.metric is not None
    assert file.metric.regex == "eval_loss=([0-9.eE+-]+)"
    started = bench.run("start", "again.yaml", "-o", "json")
    assert started.code == 0, started.err
    assert started.json["best"]["metric"]["value"] == 0.0


def test_init_from_a_job_that_is_not_there(bench: Bench):
    """No file is written for a job that nobody knows."""
    ran = bench.run("init", "--from-job", "nobody", "--backend", "local")
    assert ran.code == 6, ran.err
    assert list(bench.folder.glob("*.yaml")) == []
