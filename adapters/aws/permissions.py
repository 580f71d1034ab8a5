"""What the credentials may do, asked of IAM's policy simulator: no side effects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from wpfsm.adapters.aws.errors import translated, understood
from wpfsm.fsm.errors import Rejected, ServiceDenied
from wpfsm.fsm.ports import Denial, Request
from wpfsm.fsm.records import JSON

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef

    from wpfsm.adapters.aws.clients import Clients

ON_A_JOB = (
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:UpdateTrainingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:AddTags",
    "sagemaker:ListTags",
)
ON_THE_LOG = ("logs:DescribeLogStreams", "logs:GetLogEvents")
ON_THE_ACCOUNT = (
    "sagemaker:ListTrainingJobs",
    "servicequotas:ListServiceQuotas",
    "servicequotas:ListAWSDefaultServiceQuotas",
)
NEEDED = (*ON_A_JOB, *ON_THE_LOG, *ON_THE_ACCOUNT)
"""Actions of a loop, by the resource that a policy may narrow each to (Service Authorization Reference)."""
KEEP_ALIVE = "sagemaker:KeepAlivePeriod"
"""Condition key of Create and of Update (Service Authorization Reference): a policy may cap the keep-alive."""
CONDITIONED = ("sagemaker:CreateTrainingJob", "sagemaker:UpdateTrainingJob")

_Kind = Literal["string", "stringList", "numeric", "boolean"]
_KEYS: Mapping[str, tuple[str, _Kind]] = {
    KEEP_ALIVE: ("ResourceConfig.KeepAlivePeriodInSeconds", "numeric"),
    "sagemaker:InstanceTypes": ("ResourceConfig.InstanceType", "stringList"),
    "sagemaker:VolumeKmsKey": ("ResourceConfig.VolumeKmsKeyId", "string"),
    "sagemaker:MaxRuntimeInSeconds": ("StoppingCondition.MaxRuntimeInSeconds", "numeric"),
    "sagemaker:VpcSecurityGroupIds": ("VpcConfig.SecurityGroupIds", "stringList"),
    "sagemaker:VpcSubnets": ("VpcConfig.Subnets", "stringList"),
    "sagemaker:NetworkIsolation": ("EnableNetworkIsolation", "boolean"),
    "sagemaker:InterContainerTrafficEncryption": ("EnableInterContainerTrafficEncryption", "boolean"),
}
"""Condition keys of CreateTrainingJob and the members that they are about (Service Authorization Reference)."""


class PolicySimulation:
    """SimulatePrincipalPolicy for the caller, with what the request says as context.

    Each action is simulated on the resource that it is for: on ``*`` the simulator denies whatever a policy
    allows for some resources only, as the one in docs/aws.md does.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def missing(self, request: Request) -> Sequence[Denial]:
        """What a loop needs and the credentials may not do, each with the condition or the reason.

        Args:
            request: CreateTrainingJob as far as it is known. Its name, role and keep-alive say what is asked; what
                it leaves out is no context, and a role that it leaves out is not tried.

        Raises:
            ServiceDenied: The simulator may not be used: then nothing is known of the actions.
            Rejected: The simulator does not take this caller (a root user, a federated user).
            Unknown: No answer.
        """
        with translated("GetCallerIdentity"):
            caller = self._clients.sts.get_caller_identity()
        arn, account = caller.get("Arn", ""), caller.get("Account", "")
        principal, context = self._principal(arn), _context(request, self._clients.target.region)
        keep_alive = _member(request, "ResourceConfig.KeepAlivePeriodInSeconds")
        denied = [
            denial
            for actions, resource in self._asked(request, arn.split(":")[1] if ":" in arn else "aws", account)
            for denial in self._denied(principal, actions, resource, context)
        ]
        role = request.get("RoleArn")
        return [
            *(_with_keep_alive(denial, keep_alive) for denial in denied),
            *(self._role(role, principal, account) if isinstance(role, str) and role else ()),
        ]

    def _asked(self, request: Request, partition: str, account: str) -> Iterator[tuple[Sequence[str], str]]:
        region, name = self._clients.target.region, str(request.get("TrainingJobName") or "*")
        yield ON_A_JOB, f"arn:{partition}:sagemaker:{region}:{account}:training-job/{name}"
        group = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/sagemaker/TrainingJobs"
        yield ON_THE_LOG, f"{group}:log-stream:{name}/algo-1"
        yield ON_THE_ACCOUNT, "*"

    def _role(self, role: str, principal: str, account: str) -> Iterator[Denial]:
        """Whether the execution role can be given to a job. An endpoint of one's own has no real roles."""
        if not self._clients.target.loopback:
            owner = role.split(":")[4]
            if owner != account:
                yield Denial(
                    f"iam:PassRole on {role}: it is a role of account {owner}, and these are credentials of {account}"
                )
                return
            if self._is_absent(role):
                yield Denial(f"iam:PassRole on {role}: there is no such role")
                return
        context = [_entry("iam:PassedToService", "string", ["sagemaker.amazonaws.com"])]
        for denial in self._denied(principal, ("iam:PassRole",), role, context):
            yield Denial(f"{denial.action} on {role}", denial.lacking)

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
    ) -> list[Denial]:
        with translated("SimulatePrincipalPolicy"):
            pages = self._clients.iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=principal,
                ActionNames=list(actions),
                ResourceArns=[resource],
                ContextEntries=context,
            )
            results = [result for page in pages for result in page.get("EvaluationResults", [])]
        with understood("SimulatePrincipalPolicy"):
            return [
                Denial(result["EvalActionName"], _lacking(result))
                for result in results
                if result.get("EvalDecision") != "allowed"
            ]

    def _principal(self, caller: str) -> str:
        """The role behind an assumed-role session, path included where it may be read; else the caller itself."""
        match = re.fullmatch(r"arn:(aws[\w-]*):sts::(\d+):assumed-role/([^/]+)/.+", caller)
        if match is None:
            return caller
        try:
            with translated("GetRole"):
                answer = self._clients.iam.get_role(RoleName=match[3])
            with understood("GetRole"):
                return answer["Role"]["Arn"]
        except (ServiceDenied, Rejected):
            return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"


def _lacking(result: EvaluationResultTypeDef) -> tuple[str, ...]:
    """Context keys that the policies ask for and the simulation was not given; a deny by a statement needs none."""
    if result.get("EvalDecision") == "explicitDeny":
        return ()
    each = [result, *result.get("ResourceSpecificResults", [])]
    return tuple(sorted({key for part in each for key in part.get("MissingContextValues", [])}))


def _with_keep_alive(denial: Denial, keep_alive: JSON) -> Denial:
    if not keep_alive or denial.action not in CONDITIONED:
        return denial
    return Denial(f"{denial.action} (with {KEEP_ALIVE} = {keep_alive})", denial.lacking)


def _context(request: Request, region: str) -> list[ContextEntryTypeDef]:
    """What the request says, by condition key; a member that it leaves out is no key of the real call either."""
    entries = [_entry("aws:RequestedRegion", "string", [region])]
    for key, (member, kind) in _KEYS.items():
        value = _member(request, member)
        if value is None or value == "":
            continue
        values = value if isinstance(value, list | tuple) else [value]
        entries.append(_entry(key, kind, [str(v).lower() if isinstance(v, bool) else str(v) for v in values]))
    return entries


def _entry(key: str, kind: _Kind, values: list[str]) -> ContextEntryTypeDef:
    return {"ContextKeyName": key, "ContextKeyValues": values, "ContextKeyType": kind}


def _member(request: Request, path: str) -> JSON:
    value: JSON = dict(request)
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
