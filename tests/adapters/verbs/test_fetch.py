"""``fetch``: the model of the best trial, or of another."""

from __future__ import annotations

import tarfile
from pathlib import Path

import boto3
import pytest
from cli_bench import Bench
from cli_in_process import wpfsm
from report_loops import Made, write_loop

MODEL = "open('/opt/ml/model/lr.txt', 'w').write(str(h['lr'])); print('eval_loss=' + str(abs(float(h['lr']) - 0.01)))"


def test_the_model_of_the_best_trial_is_fetched(bench: Bench) -> None:
    """What the best trial's script wrote arrives, and of another trial its own, where it was asked to be put."""
    s3 = boto3.client(
        "s3",
        endpoint_url=bench.url,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    s3.create_bucket(Bucket="sagemaker-us-east-1-123456789012")
    assert bench.run("start", bench.loop("models", MODEL)).code == 0
    best = bench.run("fetch", "models", "-o", "json").json["fetched"]
    assert (best["trial"], best["params"]["lr"]) == (2, 0.01)
    assert _lr(Path(best["path"])) == "0.01"
    assert Path(best["path"]).parent.name == best["job"]
    first = bench.run("fetch", "models", "--trial", "1", "here")
    assert first.code == 0, first.err
    assert _lr(bench.folder / "here" / "model.tar.gz") == "0.001"
    assert [file.name for file in (bench.folder / "here").iterdir()] == ["model.tar.gz"]


def _lr(file: Path) -> str:
    with tarfile.open(file) as archive:
        found = archive.extractfile("lr.txt")
        assert found is not None
        return found.read().decode()


@pytest.mark.parametrize("words", [(), ("--trial", "1"), ("--trial", "9")])
def test_what_is_not_there_is_said_without_asking_the_service(folder: Path, words: tuple[str, ...]) -> None:
    """No best, no completed job, no such trial: each is exit code 6 with what to do."""
    write_loop(folder / "wpfsm.db", [Made({"lr": 0.1}, failed="cuda_oom")])
    ran = wpfsm("fetch", "made", *words)
    assert ran.code == 6
    assert "wpfsm inspect made-00c0de" in ran.err
