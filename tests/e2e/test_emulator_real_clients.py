"""The clients that people really use, unchanged, against the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_environments import big, folder_of, node_environment, python_environment, run, without_node

from wpfsm.adapters.emulator.launch import Endpoint, ensure, stop

pytestmark = pytest.mark.network

ROLE = "arn:aws:iam::123456789012:role/Train"
QUICK = ("--cold-start", "0.1", "--warm-start", "0")
PYTHON_SDK = (
    ("sagemaker<3", "sagemaker-training"),
    ("--no-deps", "syne-tune==0.13.0", "dill", "sortedcontainers"),  # the last with its SageMaker back end
)


def variables(endpoint: Endpoint) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_SESSION_TOKEN": endpoint.token,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with SDK v2, AWS's training toolkit and syne-tune."""
    return python_environment(folder_of("sdk2", tmp_path_factory.mktemp("clients")), *PYTHON_SDK)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    state = tmp_path / "state"
    yield ensure(state, options=QUICK)
    stop(state)


@pytest.fixture
def framework(tmp_path: Path, sdk: Path) -> Iterator[Endpoint]:
    """An emulator in which every image has the training toolkit."""
    state = tmp_path / "state"
    yield ensure(state, options=[*QUICK, "--image", f"*={sdk}"])
    stop(state)


# The JavaScript SDK

JAVASCRIPT = """
import * as sm from "@aws-sdk/client-sagemaker";
const client = new sm.SageMakerClient({});
const names = ["js-1", "js-2"];
for (const name of names) {
  await client.send(new sm.CreateTrainingJobCommand({
    TrainingJobName: name, RoleArn: "arn:aws:iam::123456789012:role/Train",
    AlgorithmSpecification: {TrainingImage: "any", TrainingInputMode: "File", ContainerEntrypoint: ["true"]},
    ResourceConfig: {InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 1, KeepAlivePeriodInSeconds: 600},
    StoppingCondition: {MaxRuntimeInSeconds: 600}, OutputDataConfig: {S3OutputPath: "s3://js/out"}}));
  await sm.waitUntilTrainingJobCompletedOrStopped(
    {client, maxWaitTime: 60, minDelay: 1, maxDelay: 1}, {TrainingJobName: name});
}
const listed = [];
for await (const page of sm.paginateListTrainingJobs({client, pageSize: 1}, {SortBy: "Name"}))
  listed.push(...page.TrainingJobSummaries);
const found = await client.send(new sm.SearchCommand({Resource: "TrainingJob"}));
let refused = "";
try { await client.send(new sm.StartPipelineExecutionCommand({PipelineName: "p", ClientRequestToken: "x".repeat(32)})); }
catch (error) { refused = error.name; }
console.log(JSON.stringify({
  pools: listed.map(job => [job.TrainingJobName, job.TrainingJobStatus, job.WarmPoolStatus.Status]),
  found: found.Results.length, refused}));
"""


@without_node
def test_the_javascript_sdk(tmp_path: Path, endpoint: Endpoint) -> None:
    """Waiter, paginator and search; the second job runs on the first one's pool; a pipeline is refused."""
    folder = node_environment(folder_of("js", tmp_path), "@aws-sdk/client-sagemaker")
    (folder / "jobs.mjs").write_text(JAVASCRIPT)
    told = run(
        ["node", "--no-warnings", "jobs.mjs"], folder, {**variables(endpoint), "NODE_NO_WARNINGS": "1"}
    )
    assert json.loads(told.strip().splitlines()[-1]) == {
        "pools": [["js-1", "Completed", "Reused"], ["js-2", "Completed", "Available"]],
        "found": 2,
        "refused": "UnknownOperationException",
    }


# SDK v2

SCRIPT = """
import argparse, os, boto3
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
arguments, _ = parser.parse_known_args()
assert os.listdir(os.environ["SM_CHANNEL_TRAINING"]) == ["numbers.csv"]
print("account", boto3.client("sts").get_caller_identity()["Account"])
print(f"eval_loss={arguments.lr}")
open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w").write("trained")
"""

ESTIMATOR = """
import sys, sagemaker
from sagemaker.estimator import Estimator
from sagemaker.huggingface import HuggingFace
from sagemaker.pytorch import PyTorch
from sagemaker.sklearn import SKLearn
session = sagemaker.Session(default_bucket="sdk2")
common = dict(
    role="arn:aws:iam::123456789012:role/Train", sagemaker_session=session, instance_count=1,
    instance_type="ml.m5.large", keep_alive_period_in_seconds=600, hyperparameters={"lr": 0.5},
    metric_definitions=[{"Name": "eval_loss", "Regex": "eval_loss=([0-9.]+)"}])
script = dict(entry_point="train.py", source_dir="source")
estimator = {
    "estimator": lambda: Estimator(
        image_uri="any", container_entry_point=["sh", "-c", "echo eval_loss=0.5; echo x > $SM_BASE"],
        environment={"SM_BASE": "/opt/ml/model/m"}, **common),
    "sklearn": lambda: SKLearn(framework_version="1.2-1", **script, **common),
    "pytorch": lambda: PyTorch(framework_version="2.3", py_version="py311", **script, **common),
    "huggingface": lambda: HuggingFace(  # the SDK knows an image of it for GPUs only
        transformers_version="4.36", pytorch_version="2.1", py_version="py310", **script,
        **{**common, "instance_type": "ml.g5.xlarge"}),
}[sys.argv[1]]()
estimator.fit({"training": session.upload_data("data", key_prefix="data")})
name = estimator.latest_training_job.name
attached = type(estimator).attach(name, sagemaker_session=session)
values = list(estimator.training_job_analytics.dataframe()["value"])
pool = session.sagemaker_client.describe_training_job(TrainingJobName=name)["WarmPoolStatus"]["Status"]
assert estimator.model_data == attached.model_data == f"s3://sdk2/{name}/output/model.tar.gz", attached.model_data
print("\\nRESULT", values, pool)
"""


@big
@pytest.mark.parametrize("kind", ["estimator", "sklearn", "pytorch", "huggingface"])
def test_an_estimator_of_sdk_v2(tmp_path: Path, sdk: Path, framework: Endpoint, kind: str) -> None:
    """The script runs under AWS's toolkit, its log is streamed, its metric has a course, attach finds the job."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "train.py").write_text(SCRIPT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers.csv").write_text("1,2")
    told = run([sdk, "-c", ESTIMATOR, kind], tmp_path, variables(framework))
    assert "eval_loss=0.5" in told
    assert "RESULT [0.5] Available" in told
    if kind != "estimator":
        assert "account 123456789012" in told


# syne-tune

REPORTING = """
import argparse
from syne_tune.report import Reporter
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
arguments, _ = parser.parse_known_args()
report = Reporter()
for epoch in (1, 2):
    report(epoch=epoch, loss=arguments.lr / epoch)
"""

TUNER = """
import sagemaker
from sagemaker.pytorch import PyTorch
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.sagemaker_backend.sagemaker_backend import SageMakerBackend
from syne_tune.config_space import uniform
from syne_tune.optimizer.baselines import RandomSearch
estimator = PyTorch(
    entry_point="report.py", source_dir="source", role="arn:aws:iam::123456789012:role/Train", instance_count=1,
    instance_type="ml.m5.large", framework_version="2.3", py_version="py311", keep_alive_period_in_seconds=600,
    sagemaker_session=sagemaker.Session(default_bucket="syne"), disable_profiler=True, debugger_hook_config=False)
tuner = Tuner(
    trial_backend=SageMakerBackend(sm_estimator=estimator, metrics_names=["loss"], s3_path="s3://syne/tune"),
    scheduler=RandomSearch({"lr": uniform(0.1, 1)}, metric="loss", mode="min", random_seed=1),
    stop_criterion=StoppingCriterion(max_num_trials_finished=3), n_workers=1, sleep_time=1, tuner_name="tune")
tuner.run()
print("\\nRESULT", tuner.tuning_status.num_trials_finished >= 3, tuner.tuning_status.num_trials_failed)
"""


@big
def test_syne_tune_ends_its_trials(tmp_path: Path, sdk: Path, framework: Endpoint) -> None:
    """Its SageMaker back end searches for its jobs, reads their logs and ends after three trials."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "report.py").write_text(REPORTING)
    told = run([sdk, "-c", TUNER], tmp_path, variables(framework))
    assert "RESULT True 0" in told


# Airflow

OPERATOR = """
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
config = {
    "TrainingJobName": "from-airflow", "RoleArn": "arn:aws:iam::123456789012:role/Train",
    "AlgorithmSpecification": {
        "TrainingImage": "any", "TrainingInputMode": "File", "ContainerEntrypoint": ["echo", "trained"]},
    "ResourceConfig": {
        "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 600},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600}, "OutputDataConfig": {"S3OutputPath": "s3://airflow/out"}}
operator = SageMakerTrainingOperator(
    task_id="train", config=config, aws_conn_id=None, region_name="us-east-1", wait_for_completion=True,
    print_log=True, check_interval=1)
done = operator.execute({})
print("\\nRESULT", done["Training"]["TrainingJobStatus"])
"""


@big
def test_the_operator_of_airflow(tmp_path: Path, endpoint: Endpoint) -> None:
    """The operator submits, follows the log and returns when the job has ended."""
    python = python_environment(
        folder_of("airflow", tmp_path), ("apache-airflow", "apache-airflow-providers-amazon")
    )
    quiet = {"AIRFLOW_HOME": str(tmp_path / "airflow-home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}
    told = run([python, "-c", OPERATOR], tmp_path, {**variables(endpoint), **quiet})
    assert "trained" in told
    assert "RESULT Completed" in told


# AWS CLI 2


def cli2() -> str | None:
    """Return an AWS CLI of version 2, which the package index does not have."""
    for folder in os.environ["PATH"].split(os.pathsep):
        candidate = Path(folder) / "aws"
        if candidate.exists():
            said = subprocess.run(
                [candidate, "--version"], capture_output=True, text=True, check=False
            ).stdout
            if said.startswith("aws-cli/2"):
                return str(candidate)
    return None


@pytest.mark.skipif(cli2() is None, reason="logs tail is of the AWS CLI 2, which is not installed here")
def test_logs_tail_of_the_aws_cli(tmp_path: Path, endpoint: Endpoint) -> None:
    """``aws logs tail`` shows a job's lines."""
    client = Path(sys.executable).parent / "aws"
    request = {
        "TrainingJobName": "tailed",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": "any",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["echo", "hello from the job"],
        },
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "OutputDataConfig": {"S3OutputPath": "s3://cli/out"},
    }
    run(
        [client, "sagemaker", "create-training-job", "--cli-input-json", json.dumps(request)],
        tmp_path,
        variables(endpoint),
    )
    run(
        [client, "sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", "tailed"],
        tmp_path,
        variables(endpoint),
    )
    tail = [str(cli2()), "--endpoint-url", endpoint.url, "logs", "tail", "/aws/sagemaker/TrainingJobs"]
    assert "hello from the job" in run(tail, tmp_path, variables(endpoint))
