"""The gap: from the service's end of job n to its acceptance of job n+1, against the straightforward loop.

Both run the same script with the same SDK driver chain on the same emulator, with zero start delays, by the
emulator's own clock. The peer is what people write: ``ModelTrainer(...).train(wait=True)`` in a for loop.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import PYTHON, Result, emulator, environment, gaps, records, start_loop

JOBS = 7
SCRIPT = """import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--n", type=int, default=0)
n = parser.parse_args().n
for step in range(10):
    time.sleep(0.2)
    print(f"loss={1 / (n + step + 1):.4f}", flush=True)
"""
PEER = """
import sys, boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Compute, OutputDataConfig, SourceCode, StoppingCondition
from sagemaker.train.model_trainer import ModelTrainer
OFF = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
for n in range(int(sys.argv[2])):
    ModelTrainer(
        sagemaker_session=Session(boto_session=boto3.Session(), default_bucket="bench", sagemaker_config=OFF),
        role="arn:aws:iam::123456789012:role/Train", training_image="wpfsm.local/python:plain",
        base_job_name=f"peer-{n}", source_code=SourceCode(source_dir=sys.argv[1], entry_script="train.py"),
        compute=Compute(instance_type="ml.g6e.2xlarge", instance_count=1, keep_alive_period_in_seconds=600),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=1800), hyperparameters={"n": n},
        output_data_config=OutputDataConfig(s3_output_path="s3://bench/out"),
    ).train(wait=True, logs=True)
"""
LOOP = f"""
version: 1
name: bench
pool: {{instance_type: ml.g6e.2xlarge, keep_alive: 10m, price_per_hour: 2.80}}
job: {{source: src, entry: train.py, max_runtime: 30m}}
metric: {{name: loss, goal: minimize, regex: 'loss=([0-9.]+)'}}
strategy: {{type: sweep, method: grid, parameters: {{n: {list(range(JOBS))}}}}}
"""


def measure() -> Result:
    """Seven jobs each way."""
    ours, our_counts = _ours()
    theirs, their_counts = _theirs()
    our_calls, their_calls = (sum(counts.values()) / JOBS for counts in (our_counts, their_counts))
    ratio = statistics.median(theirs) / statistics.median(ours)
    result = Result(
        "The gap between two jobs",
        f"{JOBS} jobs of a 2 s script through the SDK's driver chain, zero start delays, the emulator's clock; "
        "calls are all that reach the endpoint, S3 included, divided by the jobs.",
        ["", "median gap", "longest", "API calls per job"],
        goal="at least 10 times shorter at the median, with no more API calls per job",
        met=ratio >= 10 and our_calls <= their_calls,
        data={
            "ours": ours,
            "theirs": theirs,
            "ratio": ratio,
            "our_calls": our_calls,
            "their_calls": their_calls,
        },
    )
    result.rows = [
        ("wpfsm", f"{statistics.median(ours) * 1000:.0f} ms", f"{max(ours) * 1000:.0f} ms", f"{our_calls:.1f}"),
        ("ModelTrainer.train(wait=True)", f"{statistics.median(theirs) * 1000:.0f} ms",
         f"{max(theirs) * 1000:.0f} ms", f"{their_calls:.1f}"),
        ("ratio", f"{ratio:.1f}", "", f"{our_calls / their_calls:.2f}"),
    ]  # fmt: skip
    return result


def _source(folder: Path) -> Path:
    source = folder / "src"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    return source


def _ours() -> tuple[list[float], dict[str, int]]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _source(folder)
        (folder / "loop.yaml").write_text(LOOP)
        with emulator(folder, "--cold-start", "0", "--warm-start", "0") as url:
            start_loop(url, folder / "w.db", folder / "loop.yaml")
            seen = records(url)
    return gaps(seen["jobs"]), seen["counts"]


def _theirs() -> tuple[list[float], dict[str, int]]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = _source(folder)
        with emulator(folder, "--cold-start", "0", "--warm-start", "0") as url:
            subprocess.run(
                [PYTHON, "-W", "ignore", "-c", PEER, str(source), str(JOBS)],
                env={**environment(url), "SAGEMAKER_VALIDATE_ROLE": "false"},
                stdout=subprocess.DEVNULL, stderr=sys.stderr, check=True,
            )  # fmt: skip
            seen = records(url)
    return gaps(seen["jobs"]), seen["counts"]
