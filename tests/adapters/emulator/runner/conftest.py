"""Fixtures: an S3 in memory, and a runner over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from runner_bench import BUCKET, REGION, Bench, Sink

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    """An S3 in memory, with one bucket."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client = boto3.client(
            "s3", region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def bench(tmp_path: Path, s3: S3Client, sink: Sink) -> Iterator[Bench]:
    """A runner with the service's rules and a short grace."""
    made = Bench(tmp_path, s3, sink, grace=0.3)
    yield made
    made.runner.close()
