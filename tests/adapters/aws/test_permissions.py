"""Permissions are asked of IAM's simulator, with the condition that caps a keep-alive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.aws.permissions import NEEDED, PolicySimulation
from wpfsm.fsm.errors import Rejected, ServiceDenied, Unknown

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/me"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Train"
PASSED = [{"ContextKeyName": "iam:PassedToService", "ContextKeyValues": ["sagemaker.amazonaws.com"],
           "ContextKeyType": "string"}]  # fmt: skip


class Iam:
    """STS and IAM behind real boto3 clients: each expected call is checked whole, in order."""

    def __init__(self, caller: str = USER) -> None:
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        self.clients = Clients(Target("us-east-1"), session)
        self.sts, self.iam = Stubber(self.clients.sts), Stubber(self.clients.iam)
        self.sts.add_response(
            "get_caller_identity", {"Account": ACCOUNT, "Arn": caller, "UserId": "AIDAMEMEMEMEMEMEMEME"}
        )
        self.sts.activate()
        self.iam.activate()

    def simulates(
        self, denied: tuple[str, ...] = (), *, keep_alive: int = 600, principal: str = USER
    ) -> None:
        context = [{"ContextKeyName": "sagemaker:KeepAlivePeriod", "ContextKeyValues": [str(keep_alive)],
                    "ContextKeyType": "numeric"}]  # fmt: skip
        self._simulation(NEEDED, "*", denied, context if keep_alive else [], principal)

    def passes(self, role: str = ROLE, *, denied: bool = False) -> None:
        self._simulation(("iam:PassRole",), role, ("iam:PassRole",) if denied else (), PASSED, USER)

    def _simulation(
        self,
        actions: tuple[str, ...],
        resource: str,
        denied: tuple[str, ...],
        context: list[Any],
        principal: str,
    ) -> None:
        results = [{"EvalActionName": action, "EvalDecision": "implicitDeny" if action in denied else "allowed"}
                   for action in actions]  # fmt: skip
        asked = {"PolicySourceArn": principal, "ActionNames": list(actions), "ResourceArns": [resource],
                 "ContextEntries": context}  # fmt: skip
        self.iam.add_response("simulate_principal_policy", {"EvaluationResults": results}, asked)

    def has_role(self, arn: str = ROLE) -> None:
        name = arn.rpartition("/")[2]
        role = {"Path": "/", "RoleName": name, "RoleId": "AROAMEMEMEMEMEMEMEME", "Arn": arn, "CreateDate": 0}
        self.iam.add_response("get_role", {"Role": role}, {"RoleName": name})

    def missing(self, role: str = "", keep_alive: int = 600) -> list[str]:
        return list(PolicySimulation(self.clients).missing(role, keep_alive))


@pytest.fixture
def iam() -> Iterator[Iam]:
    made = Iam()
    yield made
    made.iam.assert_no_pending_responses()


def test_nothing_is_missing(iam: Iam) -> None:
    """Every action is simulated, with the loop's own keep-alive."""
    iam.simulates()
    assert iam.missing() == []


def test_denied_keep_alive_names_the_condition(iam: Iam) -> None:
    """Create and Update carry the condition key with the value that was denied; other actions do not."""
    iam.simulates(("sagemaker:CreateTrainingJob", "sagemaker:UpdateTrainingJob", "logs:GetLogEvents"))
    assert iam.missing() == [
        "sagemaker:CreateTrainingJob (with sagemaker:KeepAlivePeriod = 600)",
        "sagemaker:UpdateTrainingJob (with sagemaker:KeepAlivePeriod = 600)",
        "logs:GetLogEvents",
    ]


def test_loop_without_a_pool_has_no_keep_alive_condition(iam: Iam) -> None:
    """A declined pool is not judged by a cap on keep-alives."""
    iam.simulates(("sagemaker:CreateTrainingJob",), keep_alive=0)
    assert iam.missing(keep_alive=0) == ["sagemaker:CreateTrainingJob"]


def test_role_must_be_passable(iam: Iam) -> None:
    """The execution role is looked up, and passing it to SageMaker is simulated."""
    iam.simulates()
    iam.has_role()
    iam.passes(denied=True)
    assert iam.missing(ROLE) == [f"iam:PassRole on {ROLE}"]


def test_role_that_does_not_exist_is_named(iam: Iam) -> None:
    """A misspelled role is found before the service refuses the job."""
    iam.simulates()
    iam.iam.add_client_error("get_role", "NoSuchEntity", "The role cannot be found.", 404)
    assert iam.missing(ROLE) == [f"iam:PassRole on {ROLE}: there is no such role"]


def test_role_that_may_not_be_read_is_not_called_missing(iam: Iam) -> None:
    """Not being allowed to look says nothing of the role."""
    iam.simulates()
    iam.iam.add_client_error("get_role", "AccessDenied", "no", 403)
    iam.passes()
    assert iam.missing(ROLE) == []


def test_role_of_another_account_cannot_be_passed(iam: Iam) -> None:
    """Known without a call: roles are not passed between accounts."""
    iam.simulates()
    other = "arn:aws:iam::210987654321:role/Train"
    (text,) = iam.missing(other)
    assert text.startswith(f"iam:PassRole on {other}: it is a role of account 210987654321")


@pytest.mark.parametrize("readable", [True, False])
def test_assumed_role_is_simulated_as_its_role(readable: bool) -> None:
    """The simulator takes roles: the session's role, with its path where that may be read."""
    iam = Iam(f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/me")
    plain = f"arn:aws:iam::{ACCOUNT}:role/Dev"
    with_path = f"arn:aws:iam::{ACCOUNT}:role/teams/a/Dev"
    if readable:
        iam.has_role(with_path)
    else:
        iam.iam.add_client_error("get_role", "AccessDenied", "no", 403)
    iam.simulates(principal=with_path if readable else plain)
    assert iam.missing() == []
    iam.iam.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [("AccessDenied", 403, ServiceDenied), ("InvalidInput", 400, Rejected), ("Throttling", 400, Unknown)],
)
def test_simulator_that_does_not_answer_is_not_a_yes(code: str, status: int, raised: type[Exception]) -> None:
    """A refusal to simulate is raised: nothing is known of the actions then."""
    iam = Iam()
    iam.iam.add_client_error("simulate_principal_policy", code, "no", status)
    with pytest.raises(raised):
        iam.missing()
