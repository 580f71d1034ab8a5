"""Permissions are asked of IAM's simulator, on the resources and under the conditions of the loop at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.aws.permissions import (
    NEEDED,
    ON_A_JOB,
    ON_THE_ACCOUNT,
    ON_THE_LOG,
    PolicySimulation,
)
from wpfsm.fsm.errors import Rejected, ServiceDenied, Unknown
from wpfsm.fsm.ports import Denial

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/me"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Train"
PASSED = [{"ContextKeyName": "iam:PassedToService", "ContextKeyValues": ["sagemaker.amazonaws.com"],
           "ContextKeyType": "string"}]  # fmt: skip
REGION = {
    "ContextKeyName": "aws:RequestedRegion",
    "ContextKeyValues": ["us-east-1"],
    "ContextKeyType": "string",
}
JOB = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/story-001"
LOG = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs:log-stream:story-001/algo-1"
PAGE = Path(__file__).parents[3] / "docs" / "aws.md"


def request(role: str = "", keep_alive: int = 600) -> dict[str, Any]:
    resources = {"KeepAlivePeriodInSeconds": keep_alive} if keep_alive else {}
    return {"TrainingJobName": "story-001", "RoleArn": role, "ResourceConfig": resources}


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
        capped = {"ContextKeyName": "sagemaker:KeepAlivePeriod", "ContextKeyValues": [str(keep_alive)],
                  "ContextKeyType": "numeric"}  # fmt: skip
        context = [REGION, capped] if keep_alive else [REGION]
        for actions, resource in ((ON_A_JOB, JOB), (ON_THE_LOG, LOG), (ON_THE_ACCOUNT, "*")):
            self._simulation(actions, resource, denied, context, principal)

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
        found = PolicySimulation(self.clients).missing(request(role, keep_alive))
        assert all(denial.lacking == () for denial in found)
        return [denial.action for denial in found]


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


# --- the policy of the documentation --------------------------------------------------------------


class Policed:
    """An IAM client whose simulator judges by policies, as IAM's does: by action, resource and condition."""

    def __init__(self, *statements: Mapping[str, Any], page_size: int = 100) -> None:
        self.statements, self.page_size = statements, page_size

    def get_role(self, **asked: str) -> dict[str, Any]:
        return {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{asked['RoleName']}"}}

    def get_paginator(self, operation: str) -> Policed:
        assert operation == "simulate_principal_policy"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        context = {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in asked["ContextEntries"]}
        (resource,) = asked["ResourceArns"]
        results = [self._judged(action, resource, context) for action in asked["ActionNames"]]
        for first in range(0, len(results), self.page_size):
            yield {"EvaluationResults": results[first : first + self.page_size]}

    def _judged(self, action: str, resource: str, context: dict[str, list[str]]) -> dict[str, Any]:
        lacking: set[str] = set()
        allowed = False
        for statement in self.statements:
            if not any(fnmatchcase(action, pattern) for pattern in _listed(statement["Action"])):
                continue
            if not any(fnmatchcase(resource, pattern) for pattern in _listed(statement["Resource"])):
                continue
            unknown = {key for test in statement.get("Condition", {}).values() for key in test} - set(context)
            lacking |= unknown
            allowed = allowed or all(
                _holds(operator, wanted, context.get(key))
                for operator, test in statement.get("Condition", {}).items()
                for key, wanted in test.items()
            )
        decision = "allowed" if allowed else "implicitDeny"
        specific = [{"EvalResourceName": resource, "EvalResourceDecision": decision,
                     "MissingContextValues": sorted(lacking)}]  # fmt: skip
        return {"EvalActionName": action, "EvalDecision": decision, "ResourceSpecificResults": specific}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _holds(operator: str, wanted: Any, given: list[str] | None) -> bool:
    if given is None:
        return operator.endswith("IfExists")
    if operator.startswith("NumericLessThanEquals"):
        return all(float(value) <= float(wanted) for value in given)
    return all(value in [str(w) for w in _listed(wanted)] for value in given)


def documented(**placeholders: str) -> list[dict[str, Any]]:
    """The policy of docs/aws.md."""
    text = PAGE.read_text(encoding="utf-8").split("<!-- policy -->")[1].split("```json")[1].split("```")[0]
    for old, new in placeholders.items():
        assert old in text
        text = text.replace(old, new)
    statements: list[dict[str, Any]] = json.loads(text)["Statement"]
    return statements


def judged(simulator: Policed, role: str = ROLE, **more: Any) -> list[Denial]:
    iam = Iam()
    iam.iam.deactivate()
    iam.clients.__dict__["iam"] = simulator
    asked = request(role)
    asked["ResourceConfig"] |= more
    return list(PolicySimulation(iam.clients).missing(asked))


def test_the_documented_policy_is_enough() -> None:
    """Its statements name resources; on these, and not on *, every action is simulated, and none is denied."""
    assert judged(Policed(*documented())) == []


@pytest.mark.parametrize("sid", [statement["Sid"] for statement in documented()])
def test_each_statement_of_the_documented_policy_is_missed(sid: str) -> None:
    """Without one of its statements the actions that only it allows are named, but for those that a loop can do without."""
    statements = documented()
    (left_out,) = [statement for statement in statements if statement["Sid"] == sid]
    missing = judged(Policed(*(statement for statement in statements if statement["Sid"] != sid)))
    expected = set(_listed(left_out["Action"])) & {*NEEDED, "iam:PassRole"}
    assert {denial.action.split(" ")[0] for denial in missing} == expected
    assert all(denial.lacking == () for denial in missing)


def test_policy_for_jobs_of_another_name_is_denied() -> None:
    """A policy may allow a team's own job names only: the loop's name is what is simulated."""
    missing = judged(Policed(*documented(**{"training-job/*": "training-job/theirs-*"})))
    assert {denial.action.split(" ")[0] for denial in missing} == set(ON_A_JOB)


def test_keep_alive_beyond_the_policy_is_denied() -> None:
    """The documented cap is 3600 s."""
    missing = judged(Policed(*documented()), KeepAlivePeriodInSeconds=7200)
    assert [denial.action for denial in missing] == [
        "sagemaker:CreateTrainingJob (with sagemaker:KeepAlivePeriod = 7200)",
        "sagemaker:UpdateTrainingJob (with sagemaker:KeepAlivePeriod = 7200)",
    ]


def test_instance_types_that_a_policy_allows_are_known_to_the_simulation() -> None:
    """What the loop file says is context, so that a policy about it is judged and not merely missed."""
    only = {"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.g5.xlarge"]}}}  # fmt: skip
    free = {"Effect": "Allow", "Action": ["logs:*", "servicequotas:*", "iam:*"], "Resource": "*"}
    assert judged(Policed(only, free), InstanceType="ml.g5.xlarge") == []
    create, *_ = judged(Policed(only, free), InstanceType="ml.p5.48xlarge")
    assert create == Denial("sagemaker:CreateTrainingJob (with sagemaker:KeepAlivePeriod = 600)")


def test_condition_that_no_simulation_can_know_is_no_denial() -> None:
    """A source address or a second factor is not in the request: the key is named, for the action may be allowed."""
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    missing = judged(Policed(*({**statement, "Condition": condition} for statement in documented())))
    assert {denial.lacking for denial in missing} == {("aws:SourceIp",)}


def test_denial_on_a_later_page_is_seen() -> None:
    """The simulator answers in pages."""
    allowed = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in NEEDED
               if action != "sagemaker:ListTags"]  # fmt: skip
    role = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE}
    assert judged(Policed(*allowed, role, page_size=2)) == [Denial("sagemaker:ListTags")]
