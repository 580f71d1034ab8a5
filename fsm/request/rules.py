"""What rules a request out before it is sent: the warm pool's own conditions, and the service model's bounds.

A loop file is checked twice. Its :func:`draft` stands for the request before anything is rendered or
uploaded; the rendered request of job 1 is checked whole, for defaults and a request of the user's own may
hold what no loop file says. Every objection names the key of the loop file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wpfsm.fsm.loopfile.files import local_inputs
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import Request, Violation
from wpfsm.fsm.records import JSON, as_mapping
from wpfsm.fsm.request.compose import SDK_DRIVER, encode, job_name
from wpfsm.fsm.request.lock import MEMBERS, LockedFields

_GUIDE = "(developer guide, train-warm-pools)"
_LONGEST_SUFFIX = "-000000"
"""A loop's id is its name and a random suffix of this length."""

_RENDERED: Request = {"InputDataConfig": [{"ChannelName": SDK_DRIVER}]}
"""By its channels, a request that the SDK renders: its driver reads each hyperparameter as JSON."""

KEYS: Mapping[str, str] = {
    "TrainingJobName": "name",
    "RoleArn": "pool.role",
    "ResourceConfig.InstanceType": "pool.instance_type",
    "ResourceConfig.InstanceCount": "pool.instance_count",
    "ResourceConfig.VolumeSizeInGB": "pool.volume_gb",
    "ResourceConfig.VolumeKmsKeyId": "pool.kms_key",
    "ResourceConfig.KeepAlivePeriodInSeconds": "pool.keep_alive",
    "VpcConfig.SecurityGroupIds": "pool.vpc.security_groups",
    "VpcConfig.Subnets": "pool.vpc.subnets",
    "EnableInterContainerTrafficEncryption": "pool.encrypt_traffic",
    "EnableNetworkIsolation": "pool.network_isolation",
    "AlgorithmSpecification.TrainingImage": "job.image",
    "AlgorithmSpecification.MetricDefinitions": "metric",
    "InputDataConfig": "job.inputs",
    "OutputDataConfig": "job.output",
    "HyperParameters": "job.hyperparameters",
    "Environment": "job.environment",
    "StoppingCondition": "job.max_runtime",
    "Tags": "job.tags",
}
"""Members of CreateTrainingJob and the key of the loop file that decides each."""


@dataclass(frozen=True)
class Objection:
    """One thing that the service would refuse.

    Attributes:
        key: The key of the loop file, or the member where no key decides it.
        text: What, with the value.
        fix: The next thing to do.
    """

    key: str
    text: str
    fix: str

    def __str__(self) -> str:
        """``pool.instance_type: ...``."""
        return f"{self.key}: {self.text}"


def objections(
    request: Request, violations: Callable[[Request], Sequence[Violation]], *, own: bool = False
) -> list[Objection]:
    """Everything that is wrong with a request.

    Args:
        request: A CreateTrainingJob request, whole.
        violations: What the service's model refuses in it.
        own: It comes from ``job.request``, so that its members have no key of their own.
    """
    ruled_out = list(_ruled_out(request))
    known = {objection.key for objection in ruled_out}
    shapes = [_of_violation(violation, own=own) for violation in violations(request)]
    return [*ruled_out, *(shape for shape in shapes if shape.key not in known)]


def draft(file: LoopFile) -> Request:
    """The request of job 1 as far as the loop file states it, with the longest name that it can have."""
    pool, job = file.pool, file.job
    resources: dict[str, JSON] = {
        "InstanceType": pool.instance_type,
        "InstanceCount": pool.instance_count,
        "VolumeSizeInGB": pool.volume_gb,
    }
    if pool.kms_key:
        resources["VolumeKmsKeyId"] = pool.kms_key
    if file.keeps_pool and pool.keep_alive:
        resources["KeepAlivePeriodInSeconds"] = int(pool.keep_alive)
    request: dict[str, JSON] = {
        "TrainingJobName": job_name(f"{file.name}{_LONGEST_SUFFIX}", 999),
        "RoleArn": pool.role or "arn:aws:iam::000000000000:role/unknown",
        "AlgorithmSpecification": _algorithm(file),
        "ResourceConfig": resources,
        "OutputDataConfig": {"S3OutputPath": job.output or "s3://unknown"},
        "StoppingCondition": {"MaxRuntimeInSeconds": int(job.max_runtime)},
        "HyperParameters": {name: encode(value, _RENDERED) for name, value in job.hyperparameters.items()},
        "Environment": dict(job.environment),
        "Tags": [{"Key": key, "Value": value} for key, value in job.tags.items()],
        "EnableNetworkIsolation": pool.network_isolation,
        "EnableInterContainerTrafficEncryption": pool.encrypt_traffic,
    }
    if job.inputs:
        uploaded = {name: f"s3://unknown/{name}" for name in local_inputs(file)}
        channels = {**job.inputs, **uploaded}
        request["InputDataConfig"] = [_channel(name, uri) for name, uri in channels.items()]
    if pool.vpc:
        request["VpcConfig"] = {
            "SecurityGroupIds": list(pool.vpc.security_groups),
            "Subnets": list(pool.vpc.subnets),
        }
    if pool.session_tag_keys:
        request["SessionChainingConfig"] = {"EnableSessionTagChaining": True}
    return request


def contradictions(file: LoopFile, lock: LockedFields) -> tuple[list[Objection], list[str]]:
    """Where the rendered request's lock is not what the loop file says.

    Returns:
        Objections where the file states another value; and remarks, in words, where the request adds
        something that the file leaves open (defaults of the SDK's configuration do that). The lock is the
        request's in either case.
    """
    refused, remarks = [], []
    stated = LockedFields.of(draft(file), file.pool.session_tag_keys)
    for difference in stated.differences(lock):
        member = MEMBERS[difference.field]
        key = KEYS.get(member, f"pool.{difference.field}")
        if _left_open(file, key):
            # A request of the user's own says what it says; a role has to come from somewhere.
            if not file.job.request and difference.field != "role_arn":
                remarks.append(f"the request sets {member} to {difference.given!r}, which {key} leaves open")
            continue
        refused.append(
            Objection(
                key,
                f"the loop file says {difference.locked!r}, and the request says {difference.given!r} ({member})",
                f"give {key} the value of the request, or correct the request",
            )
        )
    return refused, remarks


def _left_open(file: LoopFile, key: str) -> bool:
    """Whether a key has its default value; quota, price and limits depend on the type and count, open or not."""
    if key in ("pool.instance_type", "pool.instance_count"):
        return False
    name = key.split(".")[1]
    default = type(file.pool).model_fields[name].get_default(call_default_factory=True)
    return bool(getattr(file.pool, name) == default)


def _ruled_out(request: Request) -> Iterator[Objection]:
    resources = as_mapping(request.get("ResourceConfig"))
    if request.get("EnableManagedSpotTraining"):
        yield Objection(
            "EnableManagedSpotTraining",
            f"managed spot training has no warm pool {_GUIDE}",
            "remove EnableManagedSpotTraining from the request",
        )
    if resources.get("InstanceGroups"):
        yield Objection(
            "ResourceConfig.InstanceGroups",
            f"a heterogeneous cluster has no warm pool {_GUIDE}",
            "give one InstanceType and InstanceCount",
        )
    if request.get("ServerlessJobConfig"):
        yield Objection(
            "ServerlessJobConfig",
            "serverless customization has no instances to keep warm",
            "remove ServerlessJobConfig, or run that job without wpfsm",
        )


def _of_violation(violation: Violation, *, own: bool) -> Objection:
    member = violation.member
    found = [known for known in KEYS if member == known or member.startswith((f"{known}.", f"{known}["))]
    key = KEYS[max(found, key=len)] if found else member
    where = f" ({member} of job.request)" if own else f" ({member})"
    fix = f"correct {member} in the file of job.request" if own else f"correct {key}"
    if own and found and key not in ("name", "pool.role"):
        fix += f", or {key} where the loop file states it"
    return Objection(key, f"{violation.value} {violation.constraint}{where}", fix)


def _algorithm(file: LoopFile) -> dict[str, JSON]:
    algorithm: dict[str, JSON] = {"TrainingImage": file.job.image or "unknown", "TrainingInputMode": "File"}
    if file.definitions:
        algorithm["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in file.definitions]
    return algorithm


def _channel(name: str, uri: str) -> JSON:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
