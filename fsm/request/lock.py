"""The lock: the fields that every job of a loop must share for the warm pool to match.

The list is that of the developer guide (train-warm-pools, "matching"). It is taken from the rendered
request of job 1, never from settings: defaults of the SDK's configuration can add fields that no loop file
mentions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Self

from wpfsm.fsm.records import JSON, as_mapping

if TYPE_CHECKING:
    from wpfsm.fsm.ports import Request

MEMBERS: Mapping[str, str] = {
    "role_arn": "RoleArn",
    "instance_type": "ResourceConfig.InstanceType",
    "instance_count": "ResourceConfig.InstanceCount",
    "volume_gb": "ResourceConfig.VolumeSizeInGB",
    "kms_key": "ResourceConfig.VolumeKmsKeyId",
    "security_groups": "VpcConfig.SecurityGroupIds",
    "subnets": "VpcConfig.Subnets",
    "encrypt_traffic": "EnableInterContainerTrafficEncryption",
    "network_isolation": "EnableNetworkIsolation",
    "session_tag_keys": "session tag keys (EnableSessionTagChaining)",
}
"""Each locked field by the name that the service gives it."""


@dataclass(frozen=True)
class Difference:
    """One locked field that a request does not share with job 1."""

    field: str
    locked: JSON
    given: JSON

    def __str__(self) -> str:
        """Names the member and both values."""
        return f"{MEMBERS[self.field]} is {self.given!r}, and {self.locked!r} since job 1"


@dataclass(frozen=True)
class LockedFields:
    """The normalised match key.

    Lists are sorted (whether the service cares about their order is not documented), an absent boolean is
    False, and a KMS key is its id whether it was given as id or as ARN.
    """

    role_arn: str
    instance_type: str
    instance_count: int
    volume_gb: int
    kms_key: str
    security_groups: tuple[str, ...]
    subnets: tuple[str, ...]
    encrypt_traffic: bool
    network_isolation: bool
    session_tag_keys: tuple[str, ...] | None
    """None without session tag chaining."""

    @classmethod
    def of(cls, request: Request, session_tag_keys: Sequence[str] = ()) -> Self:
        """The key of a CreateTrainingJob request."""
        resources = as_mapping(request.get("ResourceConfig"))
        vpc = as_mapping(request.get("VpcConfig"))
        chaining = as_mapping(request.get("SessionChainingConfig")).get("EnableSessionTagChaining")
        return cls(
            role_arn=_text(request.get("RoleArn")),
            instance_type=_text(resources.get("InstanceType")),
            instance_count=_whole(resources.get("InstanceCount")),
            volume_gb=_whole(resources.get("VolumeSizeInGB")),
            kms_key=key_id(_text(resources.get("VolumeKmsKeyId"))),
            security_groups=_names(vpc.get("SecurityGroupIds")),
            subnets=_names(vpc.get("Subnets")),
            encrypt_traffic=bool(request.get("EnableInterContainerTrafficEncryption")),
            network_isolation=bool(request.get("EnableNetworkIsolation")),
            session_tag_keys=tuple(sorted(session_tag_keys)) if chaining else None,
        )

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Self:
        """Read back what :meth:`to_json` wrote."""
        keys = data["session_tag_keys"]
        return cls(
            role_arn=_text(data["role_arn"]),
            instance_type=_text(data["instance_type"]),
            instance_count=_whole(data["instance_count"]),
            volume_gb=_whole(data["volume_gb"]),
            kms_key=_text(data["kms_key"]),
            security_groups=_names(data["security_groups"]),
            subnets=_names(data["subnets"]),
            encrypt_traffic=bool(data["encrypt_traffic"]),
            network_isolation=bool(data["network_isolation"]),
            session_tag_keys=None if keys is None else _names(keys),
        )

    def to_json(self) -> dict[str, JSON]:
        """As plain JSON."""
        data: dict[str, JSON] = json.loads(json.dumps(asdict(self)))
        return data

    def differences(self, other: LockedFields) -> tuple[Difference, ...]:
        """Where ``other`` differs from this lock, in the order of the fields."""
        mine, theirs = self.to_json(), other.to_json()
        return tuple(
            Difference(field.name, mine[field.name], theirs[field.name])
            for field in fields(self)
            if mine[field.name] != theirs[field.name]
        )

    def pool_key(self, account: str, region: str) -> str:
        """Identity of the pool that this lock matches: 16 hex digits over account, region and all fields."""
        import hashlib  # loads OpenSSL, and every reader of a row loads this module

        whole = json.dumps([account, region, self.to_json()], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: JSON) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _names(value: JSON) -> tuple[str, ...]:
    return tuple(sorted(str(item) for item in value)) if isinstance(value, Sequence) else ()


def key_id(spelling: str) -> str:
    """The id in ``arn:aws:kms:region:account:key/id``; aliases stay as they are."""
    return spelling.rpartition(":key/")[2] if ":key/" in spelling else spelling
