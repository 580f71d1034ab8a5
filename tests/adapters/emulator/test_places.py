"""Accounts and regions are separate: jobs, pools, quotas, logs, tags and the fallback's buckets."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from emulator_requests import training_job
from emulator_stage import Stage

HERE = ("us-east-1", "123456789012")


PLACES = [("eu-west-1", "123456789012"), ("us-east-1", "210987654321")]


@pytest.mark.parametrize(("region", "account"), PLACES)
def test_jobs_and_pools_are_separate(stage: Stage, region: str, account: str) -> None:
    """The same name and the same key in another region or account is another job and no match."""
    emulator = stage.show()
    here, there = stage.client("sagemaker", *HERE), stage.client("sagemaker", region, account)
    here.create_training_job(**training_job("j"))
    emulator.advance(100)
    with pytest.raises(ClientError, match="not found"):
        there.describe_training_job(TrainingJobName="j")
    there.create_training_job(**training_job("j"))
    answer = there.describe_training_job(TrainingJobName="j")
    assert answer["TrainingJobArn"] == f"arn:aws:sagemaker:{region}:{account}:training-job/j"
    emulator.advance(100)
    assert [pool.status for pool in emulator.pools()] == ["Available", "Available"]
    assert len(here.list_training_jobs()["TrainingJobSummaries"]) == 1
    with pytest.raises(ClientError, match="not found"):
        here.list_tags(ResourceArn=answer["TrainingJobArn"])
