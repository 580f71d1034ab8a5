"""What the credentials may do, asked of IAM's policy simulator: no side effects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wpfsm.adapters.aws.translate import translated
from wpfsm.fsm.errors import Rejected, ServiceDenied

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef

    from wpfsm.adapters.aws.clients import Clients

NEEDED = (
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:UpdateTrainingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:ListTrainingJobs",
    "sagemaker:AddTags",
    "sagemaker:ListTags",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
    "servicequotas:ListServiceQuotas",
    "servicequotas:ListAWSDefaultServiceQuotas",
)
"""Actions of a loop (Service Authorization Reference)."""
KEEP_ALIVE = "sagemaker:KeepAlivePeriod"
"""Condition key of Create and of Update (Service Authorization Reference): a policy may cap the keep-alive."""
CONDITIONED = ("sagemaker:CreateTrainingJob", "sagemaker:UpdateTrainingJob")


class PolicySimulation:
    """SimulatePrincipalPolicy for the caller, with the keep-alive as context."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def missing(self, role: str, keep_alive: int) -> Sequence[str]:
        """What a loop needs and the credentials may not do, each with the condition or the reason.

        Args:
            role: Execution role of the jobs, for ``iam:PassRole``; empty when none is named.
            keep_alive: Seconds, for the condition ``sagemaker:KeepAlivePeriod``; 0 for no pool.

        Raises:
            ServiceDenied: The simulator may not be used: then nothing is known of the actions.
            Rejected: The simulator does not take this caller (a root user, a federated user).
            Unknown: No answer.
        """
        with translated("GetCallerIdentity"):
            caller = self._clients.sts.get_caller_identity()
        principal = self._principal(caller.get("Arn", ""))
        denied = [
            f"{action} (with {KEEP_ALIVE} = {keep_alive})" if keep_alive and action in CONDITIONED else action
            for action in self._denied(principal, NEEDED, "*", _keep_alive(keep_alive))
        ]
        return [*denied, *(self._role(role, principal, caller.get("Account", "")) if role else ())]

    def _role(self, role: str, principal: str, account: str) -> Iterator[str]:
        """Whether the execution role can be given to a job. An endpoint of one's own has no real roles."""
        if not self._clients.target.loopback:
            owner = role.split(":")[4]
            if owner != account:
                yield f"iam:PassRole on {role}: it is a role of account {owner}, and these are credentials of {account}"
                return
            if self._is_absent(role):
                yield f"iam:PassRole on {role}: there is no such role"
                return
        entries: list[ContextEntryTypeDef] = [
            {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": ["sagemaker.amazonaws.com"],
             "ContextKeyType": "string"}
        ]  # fmt: skip
        yield from (
            f"{action} on {role}" for action in self._denied(principal, ("iam:PassRole",), role, entries)
        )

    def _is_absent(self, role: str) -> bool:
        """Whether IAM says that there is no such role; not being allowed to look says nothing."""
        try:
            with translated("GetRole"):
                self._clients.iam.get_role(RoleName=role.rpartition("/")[2])
        except Rejected as error:
            return error.code == "NoSuchEntity"
        except ServiceDenied:
            return False
        return False

    def _denied(
        self, principal: str, actions: Sequence[str], resource: str, context: list[ContextEntryTypeDef]
    ) -> list[str]:
        with translated("SimulatePrincipalPolicy"):
            answer = self._clients.iam.simulate_principal_policy(
                PolicySourceArn=principal,
                ActionNames=list(actions),
                ResourceArns=[resource],
                ContextEntries=context,
            )
        return [
            result["EvalActionName"]
            for result in answer.get("EvaluationResults", [])
            if result.get("EvalDecision") != "allowed"
        ]

    def _principal(self, caller: str) -> str:
        """The role behind an assumed-role session, path included where it may be read; else the caller itself."""
        match = re.fullmatch(r"arn:(aws[\w-]*):sts::(\d+):assumed-role/([^/]+)/.+", caller)
        if match is None:
            return caller
        try:
            with translated("GetRole"):
                return self._clients.iam.get_role(RoleName=match[3])["Role"]["Arn"]
        except (ServiceDenied, Rejected):
            return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"


def _keep_alive(seconds: int) -> list[ContextEntryTypeDef]:
    if not seconds:
        return []
    return [{"ContextKeyName": KEEP_ALIVE, "ContextKeyValues": [str(seconds)], "ContextKeyType": "numeric"}]
