"""What a job leaves in S3: its model, its output, its checkpoints."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runner_bench import BUCKET, Bench, Sink, shell_job

from wpfsm.adapters.emulator.runner.base import JobFailed, JSONValue

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def test_model_and_output_become_archives(bench: Bench, s3: S3Client) -> None:
    """What a job leaves in its model and output directories is found in S3 where the service puts it."""
    script = "mkdir /opt/ml/model/sub; echo w > /opt/ml/model/sub/w; echo plot > /opt/ml/output/data/plot"
    launch = bench.launch("leaves", shell_job(script))
    bench.run(launch)

    assert f"s3://{BUCKET}/out/leaves/output/model.tar.gz" == bench.runner.finish(launch)
    for name, expected in (("model", "sub/w"), ("output", "plot")):
        body = s3.get_object(Bucket=BUCKET, Key=f"out/leaves/output/{name}.tar.gz")["Body"].read()
        with tarfile.open(fileobj=BytesIO(body)) as archive:
            assert [expected] == archive.getnames()
    assert not launch.workdir.exists()


def test_without_compression_the_files_are_plain_objects(bench: Bench, s3: S3Client) -> None:
    """OutputDataConfig's CompressionType NONE uploads the files as they are."""
    output = {"S3OutputPath": f"s3://{BUCKET}/raw/", "CompressionType": "NONE"}
    launch = bench.launch("plain", shell_job("echo w > /opt/ml/model/w") | {"OutputDataConfig": output})  # type: ignore[dict-item]
    bench.run(launch)

    assert f"s3://{BUCKET}/raw/plain/output/model/" == bench.runner.finish(launch)
    assert s3.get_object(Bucket=BUCKET, Key="raw/plain/output/model/w")["Body"].read() == b"w\n"


def test_a_job_without_a_model_has_no_archive(bench: Bench) -> None:
    """No model directory content, no model URI."""
    bench.run_script("pass")

    assert bench.model is None


def test_an_output_bucket_that_does_not_exist_fails_the_job(bench: Bench) -> None:
    """The reason names what S3 said; the job's directory is cleared all the same."""
    output = {"S3OutputPath": "s3://no-such-bucket/out"}
    launch = bench.launch("lost", shell_job("echo w > /opt/ml/model/w") | {"OutputDataConfig": output})  # type: ignore[dict-item]
    bench.run(launch)

    with pytest.raises(JobFailed, match=r"^ClientError: Artifact upload failed:.*NoSuchBucket"):
        bench.runner.finish(launch)
    assert not launch.workdir.exists()


def test_checkpoints_are_restored_and_kept(bench: Bench, s3: S3Client, sink: Sink) -> None:
    """A job finds the checkpoints that an earlier one wrote, even one that failed."""
    s3.put_object(Bucket=BUCKET, Key="ckpt/epoch", Body=b"1\n")
    script = "cd /opt/ml/checkpoints; read -r old < epoch; echo $((old + 1)) > epoch; cat epoch; exit 1"
    for name in ("one", "two"):
        checkpoint = {"S3Uri": f"s3://{BUCKET}/ckpt"}
        launch = bench.launch(name, shell_job(script) | {"CheckpointConfig": checkpoint})  # type: ignore[dict-item]
        bench.run(launch)
        bench.runner.finish(launch)

    assert sink.lines() == ["2", "3"]
    assert s3.get_object(Bucket=BUCKET, Key="ckpt/epoch")["Body"].read() == b"3\n"


def test_a_checkpoint_path_stays_inside(bench: Bench, tmp_path: Path) -> None:
    """A LocalPath that leads out fails the job, and nothing is written where it leads."""
    checkpoint: dict[str, JSONValue] = {
        "S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": "/opt/ml/../../../../outside"
    }  # fmt: skip
    launch = bench.launch("out", shell_job("true") | {"CheckpointConfig": checkpoint})
    with pytest.raises(JobFailed, match=r"^ClientError: the checkpoint path .* leads out"):
        bench.runner.prepare(launch)
    assert not list(tmp_path.rglob("outside"))
