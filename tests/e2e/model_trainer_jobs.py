"""Run by the tests in a process of its own: the SageMaker SDK as an ordinary user has it.

Usage: model_trainer_jobs.py PROJECT BUCKET NAME {train|two-step} [hyperparameter=value ...]
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
from sagemaker.core.shapes import MetricDefinition
from sagemaker.core.training.configs import (
    Compute,
    InputData,
    OutputDataConfig,
    SourceCode,
    StoppingCondition,
)
from sagemaker.train.model_trainer import ModelTrainer

OFF = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


def main(project: Path, bucket: str, name: str, how: str, *parameters: str) -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    hyperparameters = dict(parameter.split("=", 1) for parameter in parameters)
    trainer = ModelTrainer(
        sagemaker_session=Session(boto_session=boto3.Session(), default_bucket=bucket, sagemaker_config=OFF),
        role="arn:aws:iam::123456789012:role/Train",
        training_image="123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1",
        base_job_name=name,
        source_code=SourceCode(
            source_dir=str(project / "src"), entry_script="train.py", requirements="requirements.txt"
        ),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, keep_alive_period_in_seconds=600),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        hyperparameters={
            key: float(value) if key == "lr" else value for key, value in hyperparameters.items()
        },
        input_data_config=[InputData(channel_name="train", data_source=str(project / "data"))],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/out"),
        environment={"PIP_CACHE_DIR": "/opt/ml/sagemaker/warmpoolcache/pip"},
    ).with_metric_definitions([MetricDefinition(name="eval_loss", regex="eval_loss=([0-9.]+)")])
    if how == "train":
        trainer.train(wait=True, logs=True)
        print(json.dumps({"job": trainer._latest_training_job.training_job_name}))
        return
    request = trainer._create_training_job_args(boto3=True)
    boto3.client("sagemaker").create_training_job(**request | {"TrainingJobName": name})
    job = TrainingJob.get(name)
    job.wait(poll=1)
    print(json.dumps({"job": name, "pool": job.refresh().warm_pool_status.status}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
