"""Session tag chaining: the tags of a session are part of the match with a pool."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_requests import training_job
from emulator_stage import Stage


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
