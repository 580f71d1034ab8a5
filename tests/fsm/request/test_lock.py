"""The lock: the ten fields of the match key, normalised, compared, named."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.fsm.request.lock import MEMBERS, LockedFields

law = settings(deadline=None)

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
REQUEST: Mapping[str, Any] = {
    "RoleArn": "arn:aws:iam::123456789012:role/Train",
    "ResourceConfig": {
        "InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30, "VolumeKmsKeyId": KEY_ID,
        "KeepAlivePeriodInSeconds": 600,
    },
    "VpcConfig": {"SecurityGroupIds": ["sg-1", "sg-2"], "Subnets": ["subnet-1", "subnet-2"]},
    "EnableInterContainerTrafficEncryption": False,
    "EnableNetworkIsolation": False,
    "SessionChainingConfig": {"EnableSessionTagChaining": True},
}  # fmt: skip
TAGS = ("team", "project")


def lock_of(tags: tuple[str, ...] = TAGS, **changes: Any) -> LockedFields:
    """The lock of the request with some members changed; ``ResourceConfig__X`` reaches inside, None removes."""
    request = copy.deepcopy(dict(REQUEST))
    for path, value in changes.items():
        *outer, name = path.split("__")
        node = request
        for each in outer:
            node = node[each]
        if value is None:
            node.pop(name, None)
        else:
            node[name] = value
    return LockedFields.of(request, tags)


OTHER: Mapping[str, dict[str, Any]] = {
    "role_arn": {"RoleArn": "arn:aws:iam::123456789012:role/Other"},
    "instance_type": {"ResourceConfig__InstanceType": "ml.g5.2xlarge"},
    "instance_count": {"ResourceConfig__InstanceCount": 2},
    "volume_gb": {"ResourceConfig__VolumeSizeInGB": 31},
    "kms_key": {"ResourceConfig__VolumeKmsKeyId": None},
    "security_groups": {"VpcConfig__SecurityGroupIds": ["sg-1"]},
    "subnets": {"VpcConfig__Subnets": ["subnet-3"]},
    "encrypt_traffic": {"EnableInterContainerTrafficEncryption": True},
    "network_isolation": {"EnableNetworkIsolation": True},
    "session_tag_keys": {"tags": ("team",)},
}


def test_every_locked_field_is_tried() -> None:
    """The table of these tests has each of the ten fields, and no other."""
    assert set(OTHER) == set(MEMBERS) == set(lock_of().to_json())
    assert len(OTHER) == 10


@pytest.mark.parametrize("field", OTHER)
def test_each_field_is_named_with_both_values(field: str) -> None:
    """A difference names the service's member, the locked value and the one given; and makes another pool key."""
    lock, other = lock_of(), lock_of(**OTHER[field])
    (difference,) = lock.differences(other)
    assert difference.field == field
    plain = (lock.to_json()[field], other.to_json()[field])
    assert str(difference) == f"{MEMBERS[field]} is {plain[1]!r}, and {plain[0]!r} since job 1"
    assert lock.pool_key("1", "us-east-1") != other.pool_key("1", "us-east-1")


def test_several_differences_are_all_named() -> None:
    """Nothing is left for the next try to find."""
    other = lock_of(**OTHER["volume_gb"], **OTHER["network_isolation"])
    assert [each.field for each in lock_of().differences(other)] == ["volume_gb", "network_isolation"]


FREE: Mapping[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "other"},
    "HyperParameters": {"lr": "1"},
    "Environment": {"A": "b"},
    "InputDataConfig": [{"ChannelName": "other"}],
    "OutputDataConfig": {"S3OutputPath": "s3://other"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 5},
    "ResourceConfig__KeepAlivePeriodInSeconds": 5,
    "Tags": [{"Key": "a", "Value": "b"}],
    "TrainingJobName": "other",
}


@pytest.mark.parametrize("member", FREE)
def test_free_members_are_no_part_of_the_lock(member: str) -> None:
    """Image, hyperparameters, environment, data, output, runtime, keep-alive, tags and name may change."""
    assert lock_of(**{member: FREE[member]}) == lock_of()


names = st.lists(st.text(alphabet="abc-0123", min_size=1, max_size=6), max_size=5)


@law
@given(groups=names, subnets=names, data=st.data())
def test_order_of_lists_makes_no_difference(
    groups: list[str], subnets: list[str], data: st.DataObject
) -> None:
    """Whether the service minds the order is not documented, so the lock does not."""
    shuffled = {
        "VpcConfig__SecurityGroupIds": data.draw(st.permutations(groups)),
        "VpcConfig__Subnets": data.draw(st.permutations(subnets)),
    }
    plain = {"VpcConfig__SecurityGroupIds": groups, "VpcConfig__Subnets": subnets}
    assert lock_of(**shuffled) == lock_of(**plain)
    assert lock_of(tags=tuple(reversed(TAGS))) == lock_of(tags=TAGS)


@law
@given(st.sampled_from(["EnableInterContainerTrafficEncryption", "EnableNetworkIsolation"]))
def test_absent_flag_is_false(member: str) -> None:
    """A flag that a request leaves out means the same as one that is false; true differs from both."""
    assert lock_of(**{member: None}) == lock_of(**{member: False}) != lock_of(**{member: True})


@law
@given(st.uuids(), st.sampled_from(["aws", "aws-cn", "aws-us-gov"]))
def test_kms_key_is_its_id_however_it_is_spelled(key: object, partition: str) -> None:
    """A key's id and its ARN are one key; an alias stays what it is, for it cannot be resolved here."""
    arn = f"arn:{partition}:kms:us-east-1:123456789012:key/{key}"
    spelled = {"ResourceConfig__VolumeKmsKeyId": str(key)}, {"ResourceConfig__VolumeKmsKeyId": arn}
    assert lock_of(**spelled[0]) == lock_of(**spelled[1])
    alias = {"ResourceConfig__VolumeKmsKeyId": "alias/mine"}
    assert lock_of(**alias).kms_key == "alias/mine"


def test_session_tags_count_only_with_chaining() -> None:
    """Without EnableSessionTagChaining the tags are not passed on, and are no part of the match."""
    off = {"SessionChainingConfig": {"EnableSessionTagChaining": False}}
    assert lock_of(("a",), **off) == lock_of(("b",), **off) == lock_of((), SessionChainingConfig=None)
    assert lock_of(("a",), **off) != lock_of(("a",))


locks = st.builds(
    LockedFields, role_arn=st.text(), instance_type=st.text(), instance_count=st.integers(0, 9),
    volume_gb=st.integers(0, 999), kms_key=st.text(), security_groups=names.map(lambda n: tuple(sorted(n))),
    subnets=names.map(lambda n: tuple(sorted(n))), encrypt_traffic=st.booleans(), network_isolation=st.booleans(),
    session_tag_keys=st.none() | names.map(lambda n: tuple(sorted(n))),
)  # fmt: skip


@law
@given(locks, locks)
def test_lock_survives_its_row(one: LockedFields, other: LockedFields) -> None:
    """What is written is read back equal; equal locks have no difference and one key, others differ in both."""
    assert LockedFields.from_json(json.loads(json.dumps(one.to_json()))) == one
    assert (one == other) == (not one.differences(other))
    assert (one == other) == (one.pool_key("1", "r") == other.pool_key("1", "r"))
    assert one.pool_key("1", "r") != one.pool_key("2", "r")
    assert one.pool_key("1", "r") != one.pool_key("1", "s")
