"""What the clients' tests share: a small training project and a patient look at a job."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeTrainingJobResponseTypeDef

T = TypeVar("T")
ROLE = "arn:aws:iam::123456789012:role/Train"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1"

TRAIN = """\
import argparse, json, os, pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--fail", default="no")
arguments = parser.parse_args()
numbers = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "numbers.csv").read_text().split(",")
cache = pathlib.Path(os.environ["SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"], "seen")
seen = cache.read_text() if cache.exists() else "nothing"
cache.write_text(os.environ["TRAINING_JOB_NAME"])
print("cache saw", seen)
if arguments.fail == "yes":
    raise RuntimeError("CUDA out of memory, as far as anybody knows")
print(f"eval_loss={arguments.lr * sum(map(float, numbers)):.4f}")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps({"lr": arguments.lr}))
"""


def write_project(directory: Path) -> Path:
    """Write a training project: its source, its data, its requirements."""
    source, data = directory / "src", directory / "data"
    source.mkdir(parents=True)
    data.mkdir()
    (source / "train.py").write_text(TRAIN)
    (source / "requirements.txt").write_text("")
    (data / "numbers.csv").write_text("1,2,3")
    return directory


def wait_for(look: Callable[[], T | None], timeout: float = 120.0) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + timeout
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def wait_terminal(sagemaker: SageMakerClient, name: str) -> DescribeTrainingJobResponseTypeDef:
    """Wait for the end of a job."""

    def look() -> DescribeTrainingJobResponseTypeDef | None:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in {"Completed", "Failed", "Stopped"} else None

    return wait_for(look)
