"""Accounts and regions are separate: jobs, pools, quotas, logs, tags and the fallback's buckets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import send, training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator

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


@pytest.mark.parametrize(("region", "account"), PLACES)
def test_logs_are_separate(stage: Stage, region: str, account: str) -> None:
    """A job's stream is in its own account and region only."""
    emulator = stage.show()
    stage.client("sagemaker", *HERE).create_training_job(**training_job("j"))
    emulator.advance(100)
    ask = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "j/"}
    assert stage.client("logs", *HERE).describe_log_streams(**ask)["logStreams"]
    logs = stage.client("logs", region, account)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(**ask)


@pytest.mark.parametrize(("region", "account"), PLACES)
def test_quotas_are_counted_apart(stage: Stage, region: str, account: str) -> None:
    """Instances in one place do not use up the quota of another."""
    stage.show(Settings(quotas={("ml.m5.large", "training"): 1}))
    here, there = stage.client("sagemaker", *HERE), stage.client("sagemaker", region, account)
    here.create_training_job(**training_job("a"))
    there.create_training_job(**training_job("a"))
    for client in (here, there):
        with pytest.raises(client.exceptions.ResourceLimitExceeded):
            client.create_training_job(**training_job("b"))


def test_an_account_comes_from_the_settings_or_the_access_key(stage: Stage) -> None:
    """Twelve digits are their own account; other keys have the one of the map, or of the settings."""
    settings = Settings(account="111111111111", accounts={"AKIAOTHER": "222222222222"})
    with Emulator(settings) as emulator:
        for key, account in (
            ("anything", "111111111111"),
            ("AKIAOTHER", "222222222222"),
            ("333333333333", "333333333333"),
        ):
            sts = emulator.session(account=key).client("sts")
            assert sts.get_caller_identity()["Account"] == account


def test_a_region_is_no_path(tmp_path: Path) -> None:
    """A region that leads out of its account's folder is none: the default region is meant."""
    with Emulator(state=tmp_path) as emulator:
        status, answer = send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"), region="..")
    assert (status, answer["TrainingJobArn"].split(":")[3]) == (200, "us-east-1")


def test_the_fallback_keeps_accounts_apart_too(stage: Stage) -> None:
    """The fallback is told which account asks."""
    stage.show()
    for account in ("123456789012", "210987654321"):
        stage.client("iam", "us-east-1", account).create_role(RoleName="Train", AssumeRolePolicyDocument="{}")
    role = stage.client("iam", "us-east-1", "210987654321").get_role(RoleName="Train")["Role"]
    assert role["Arn"] == "arn:aws:iam::210987654321:role/Train"


def assumed(stage: Stage, *keys: str) -> Any:
    """Return a SageMaker client with the credentials of a session with these tags."""
    import boto3

    from wpfsm.adapters.emulator.wsgi_transport import attach

    answer = stage.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/Train",
        RoleSessionName="session",
        Tags=[{"Key": key, "Value": "v"} for key in keys],
    )["Credentials"]
    session = boto3.Session(
        answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], region_name="us-east-1"
    )
    attach(session, stage)
    return session.client("sagemaker")


@pytest.mark.parametrize(
    ("keys", "chained", "status"),
    [
        (("team", "cost"), True, "Reused"),
        (("team",), True, "Available"),
        (("team", "cost"), False, "Available"),
    ],
)
def test_session_tag_keys_are_part_of_the_match(
    stage: Stage, keys: tuple[str, ...], chained: bool, status: str
) -> None:
    """With session tag chaining both jobs must chain, under sessions with the same set of tag keys."""
    emulator = stage.show()
    chaining = {"SessionChainingConfig": {"EnableSessionTagChaining": True}}
    assumed(stage, "cost", "team").create_training_job(**training_job("a", **chaining))
    emulator.advance(100)
    assumed(stage, *keys).create_training_job(**training_job("b", **(chaining if chained else {})))
    assert emulator.jobs()[0].pool_status == status
