"""May this role do it, and who am I: the two calls that every client makes first."""

from __future__ import annotations

from emulator_stage import Stage


def test_every_action_is_allowed(stage: Stage) -> None:
    """SimulatePrincipalPolicy answers allowed for each action."""
    answer = stage.client("iam").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:role/Train", ActionNames=["s3:GetObject", "s3:PutObject"]
    )
    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == {"s3:GetObject": "allowed", "s3:PutObject": "allowed"}


def test_the_caller_is_known(stage: Stage) -> None:
    """GetCallerIdentity names the account."""
    assert stage.client("sts").get_caller_identity()["Account"] == "123456789012"
