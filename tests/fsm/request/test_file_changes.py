"""A loop file that was edited since: what is locked, what is free, what is no change at all."""

from __future__ import annotations

from typing import Any

import pytest

from wpfsm.fsm.errors import Refused
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import JSON
from wpfsm.fsm.request.file_changes import LOCKED_KEYS, check, compare

ARN = "arn:aws:kms:us-east-1:123456789012:key/abc"


def dump(
    pool: dict[str, Any] | None = None, job: dict[str, Any] | None = None, **rest: Any
) -> dict[str, JSON]:
    """A loop file, effective, with some keys set."""
    return LoopFile.model_validate(
        {
            "version": 1, "name": "a",
            "pool": {
                "instance_type": "ml.g5.xlarge", "kms_key": "abc", "session_tag_keys": ["a", "b"],
                "vpc": {"security_groups": ["sg-1", "sg-2"], "subnets": ["subnet-1"]}, **(pool or {}),
            },
            "job": {"source": "src", "entry": "train.py", **(job or {})},
            **rest,
        }
    ).dump()  # fmt: skip


LOCKED: list[dict[str, Any]] = [
    {"pool": {"role": "arn:aws:iam::123456789012:role/Other"}},
    {"pool": {"instance_type": "ml.g5.2xlarge"}},
    {"pool": {"instance_count": 2}},
    {"pool": {"volume_gb": 31}},
    {"pool": {"kms_key": None}},
    {"pool": {"vpc": {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}}},
    {"pool": {"vpc": None}},
    {"pool": {"encrypt_traffic": True}},
    {"pool": {"network_isolation": True}},
    {"pool": {"session_tag_keys": ["a"]}},
    {"name": "b"},
    {"region": "eu-west-1"},
]
FREE: list[dict[str, Any]] = [
    {"job": {"image": "other"}},
    {"job": {"hyperparameters": {"lr": 1}}},
    {"job": {"environment": {"A": "b"}}},
    {"job": {"inputs": {"train": "s3://b/d"}}},
    {"job": {"output": "s3://b/o"}},
    {"job": {"max_runtime": "5m"}},
    {"job": {"tags": {"a": "b"}}},
    {"job": {"source": "other"}},
    {"pool": {"keep_alive": "5m"}},
    {"limits": {"max_jobs": 3}},
]


def ids(value: dict[str, Any]) -> str:
    (section, inner), *_ = value.items()
    return f"{section}.{next(iter(inner))}" if isinstance(inner, dict) else section


@pytest.mark.parametrize("edit", LOCKED, ids=ids)
def test_locked_keys_are_refused_even_when_accepted(edit: dict[str, Any]) -> None:
    """A locked key never changes: both values, what it would cost, and the two ways out."""
    changed = compare(dump(), dump(**edit))
    assert all(change.locked for change in changed)
    with pytest.raises(Refused) as refused:
        check(changed, accept=True, loop_id="a-1", cost="the next job would start cold")
    assert "locked field" in refused.value.message
    assert "the next job would start cold" in refused.value.message
    for change in changed:
        assert (
            f"- {change.key}: {change.old!r}\n+ {change.key}: {change.new!r}   (locked)"
            in refused.value.message
        )
    assert "undo the change, or start a new loop" in refused.value.fix


@pytest.mark.parametrize("edit", FREE, ids=ids)
def test_free_keys_need_to_be_accepted(edit: dict[str, Any]) -> None:
    """A free key is shown as a diff and refused until somebody accepts it."""
    changed = compare(dump(), dump(**edit))
    assert changed
    assert not any(change.locked for change in changed)
    with pytest.raises(Refused) as refused:
        check(changed, accept=False, loop_id="a-1", cost="")
    assert str(changed[0]) in refused.value.message
    assert "wpfsm resume a-1 --accept-changes" in refused.value.fix
    check(changed, accept=True, loop_id="a-1", cost="")


@pytest.mark.parametrize(
    "spelling",
    [
        {"vpc": {"security_groups": ["sg-2", "sg-1"], "subnets": ["subnet-1"]}},
        {"session_tag_keys": ["b", "a"]},
        {"kms_key": ARN},
        {"encrypt_traffic": False},
    ],
    ids=["order of a list", "order of tags", "ARN of the key", "stated default"],
)
def test_another_spelling_is_no_change(spelling: dict[str, Any]) -> None:
    """What makes no difference to the match is not refused."""
    assert compare(dump(), dump(spelling)) == []


def test_locked_keys_exist() -> None:
    """Every locked key is a key of the loop file."""
    file = dump()
    for key in LOCKED_KEYS:
        node: Any = file
        for part in key.split("."):
            assert part in node
            node = node[part]
