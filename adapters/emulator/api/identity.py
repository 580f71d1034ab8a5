"""Two operations that every SageMaker client makes first: may this role do it, and who am I?

The rest of IAM and STS is the fallback's.
"""

from __future__ import annotations

from typing import cast

from wpfsm.adapters.emulator.api.operations import Api, Call
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.runner.base import JSONValue


class IdentityApi(Api):
    """Answers for callers that are not checked: there are no policies here."""

    def __init__(self) -> None:
        super().__init__({"SimulatePrincipalPolicy": _simulate, "GetCallerIdentity": _caller})


def _simulate(call: Call, _: float) -> Request:
    """Allow every action on every resource."""
    actions = cast("list[str]", call.request["ActionNames"])
    resources = cast("list[str]", call.request.get("ResourceArns", ["*"]))
    results: list[JSONValue] = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "allowed",
            "MatchedStatements": [],
            "MissingContextValues": [],
        }
        for action in actions
        for resource in resources
    ]
    return {"IsTruncated": False, "EvaluationResults": results}


def _caller(call: Call, _: float) -> Request:
    account, _region = call.place
    return {
        "Arn": f"arn:aws:iam::{account}:user/emulator",
        "UserId": "AIDAEMULATOREMULATOR",
        "Account": account,
    }
