"""The lock holds at every submission and every resume, and the free fields change freely."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from crash_checks import violations
from crash_world import Crash, loop_text
from watched_world import COLD, FileRenderer, Watched, loop_file

from wpfsm.fsm.controller import Result
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import Outcome
from wpfsm.fsm.request.lock import MEMBERS, LockedFields

POOL = {"kms_key": "key-1", "vpc": {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}, "session_tag_keys": ["team"],
        "instance_type": "ml.m5.xlarge", "price_per_hour": 3.6, "keep_alive": "10m"}  # fmt: skip


def resources(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(request: dict[str, Any]) -> None:
        request["ResourceConfig"] = {**request["ResourceConfig"], **changes}

    return change


def member(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(request: dict[str, Any]) -> None:
        request[name] = value

    return change


DRIFTS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "role_arn": member("RoleArn", "arn:aws:iam::123456789012:role/Other"),
    "instance_type": resources(InstanceType="ml.m5.2xlarge"),
    "instance_count": resources(InstanceCount=2),
    "volume_gb": resources(VolumeSizeInGB=50),
    "kms_key": resources(VolumeKmsKeyId="key-2"),
    "security_groups": member("VpcConfig", {"SecurityGroupIds": ["sg-2"], "Subnets": ["subnet-1"]}),
    "subnets": member("VpcConfig", {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-2"]}),
    "encrypt_traffic": member("EnableInterContainerTrafficEncryption", value=True),
    "network_isolation": member("EnableNetworkIsolation", value=True),
    "session_tag_keys": member("SessionChainingConfig", {"EnableSessionTagChaining": False}),
}


class DriftingRenderer(FileRenderer):
    """From the second rendering on, the request has another value in a locked field."""

    def __init__(self, drift: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self.drift = drift

    def render(self, spec: RenderSpec) -> Request:
        """See the class."""
        request = dict(super().render(spec))
        if len(self.rendered) > 1:
            self.drift(request)
        return request


def two_sources(world: Watched) -> None:
    """Give the second recipe a source of its own, so that a second request is rendered."""
    other = world.folder / "other"
    other.mkdir()
    (other / "train.py").write_text("print(2)\n")


RECIPES = {"type": "recipes", "recipes": [{"name": "one"}, {"name": "two", "source": "other"}]}


@pytest.mark.parametrize("field", DRIFTS)
def test_each_locked_field_is_guarded_at_submission(field: str) -> None:
    """A request with another key is not sent: exit 3, the field, both values, the cost; the pool is released."""
    world = Watched({**loop_file(strategy=RECIPES), "pool": POOL})
    two_sources(world)
    world.renderer = DriftingRenderer(DRIFTS[field])
    result = world.run()
    assert result.exit_code == 3
    assert result.loop.outcome is Outcome.REFUSED
    assert len(world.emulator.created()) == 1
    assert list(violations(world, result)) == []
    why = result.loop.why
    assert why.startswith(f"locked: {MEMBERS[field]} is ")
    assert "since job 1: the warm pool would not match, the next job would start cold" in why
    assert "a cold start takes about 2 min" in why
    assert "would idle beside it for up to 10 min, $0.60 of it billed" in why
    assert why.splitlines()[0] in world.inspect()


def test_every_field_is_guarded() -> None:
    """The table of these tests has each of the ten locked fields."""
    assert set(DRIFTS) == set(MEMBERS)


def test_lock_is_that_of_the_rendered_request() -> None:
    """What is locked is what is sent to the service for job 1."""
    world = Watched({**loop_file(), "pool": POOL})
    result = world.run()
    sent = world.emulator.jobs()[0].request
    assert result.loop.lock == LockedFields.of(sent, ["team"])
    assert [job.start for job in world.jobs()] == ["cold", "warm"]


def crashed_after_the_first_job(file: dict[str, Any]) -> Watched:
    """A loop whose controller died between its first two jobs."""
    world = Watched(file)

    def die() -> None:
        raise Crash

    with contextlib.suppress(Crash):
        world.run({"after commit proceed": die})
    return world


def edit_file(world: Watched, file: Mapping[str, Any]) -> None:
    Path(world.folder, "loop.yaml").write_text(loop_text(file))


@pytest.mark.parametrize(
    ("key", "value"),
    [("volume_gb", 50), ("instance_type", "ml.m5.2xlarge"), ("kms_key", None), ("network_isolation", True)],
)
def test_locked_change_is_refused_at_resume(key: str, value: object) -> None:
    """A locked key of the loop file that changed: refused with both values and the price, nothing is touched."""
    file = {**loop_file(), "pool": POOL}
    world = crashed_after_the_first_job(file)
    edit_file(world, {**file, "pool": {**POOL, key: value}})
    before = world.loop()
    with pytest.raises(Refused) as refused:
        world.drive()
    assert refused.value.exit_code == 3
    assert f"- pool.{key}: " in refused.value.message
    assert f"+ pool.{key}: {value!r}   (locked)" in refused.value.message
    assert "the next job would start cold; a cold start takes about 2 min" in refused.value.message
    assert "would idle beside it for up to 10 min, $0.60 of it billed" in refused.value.message
    after = world.loop()
    assert (after.state, after.version) == (before.state, before.version)
    assert [pool.status for pool in world.emulator.pools()] == ["Available"]


CHANGES: Mapping[str, dict[str, Any]] = {
    "image": {"job": {"image": "another-image"}},
    "hyperparameters": {"job": {"hyperparameters": {"epochs": 5}}},
    "environment": {"job": {"environment": {"MODE": "fast"}}},
    "inputs": {"job": {"inputs": {"train": "s3://bucket/other"}}},
    "output": {"job": {"output": "s3://bucket/elsewhere"}},
    "max_runtime": {"job": {"max_runtime": "20m"}},
    "tags": {"job": {"tags": {"team": "two"}}},
    "keep_alive": {"pool": {"keep_alive": "20m"}},
}
SENT: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "image": lambda request: request["AlgorithmSpecification"]["TrainingImage"] == "another-image",
    "hyperparameters": lambda request: request["HyperParameters"].get("epochs") == "5",
    "environment": lambda request: request["Environment"].get("MODE") == "fast",
    "inputs": lambda request: "s3://bucket/other" in json.dumps(request["InputDataConfig"]),
    "output": lambda request: request["OutputDataConfig"]["S3OutputPath"] == "s3://bucket/elsewhere",
    "max_runtime": lambda request: request["StoppingCondition"]["MaxRuntimeInSeconds"] == 1200,
    "tags": lambda request: {"Key": "team", "Value": "two"} in request["Tags"],
    "keep_alive": lambda request: request["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 1200,
}


@pytest.mark.parametrize("kind", CHANGES)
def test_free_fields_change_and_the_pool_still_matches(kind: str) -> None:
    """Each kind of free field, changed between two jobs: it reaches the service, and the start is warm."""
    file = loop_file(
        job={"inputs": {"train": "s3://bucket/data"}, "image": "image-1", "tags": {"team": "one"}}
    )
    world = crashed_after_the_first_job(file)
    edit_file(world, loop_file(**{**file, **{
        section: {**file[section], **keys} for section, keys in CHANGES[kind].items()
    }}))  # fmt: skip
    result = world.drive()
    assert result.exit_code == 0
    tags = world.sagemaker.list_tags
    first, second = (
        {**job.request, "Tags": sorted(tags(ResourceArn=job.arn)["Tags"], key=itemgetter("Key"))}
        for job in world.emulator.jobs()
    )
    assert not SENT[kind](first)
    assert SENT[kind](second)
    assert [job.start for job in world.jobs()] == ["cold", "warm"]
    assert world.jobs()[1].startup_seconds is not None
    assert world.jobs()[1].startup_seconds < COLD
    assert shown(world, 0) == first
    assert shown(world, 1) == second


def test_source_changes_and_the_pool_still_matches() -> None:
    """Another source is another upload and the same pool."""
    world = Watched(loop_file(strategy=RECIPES))
    two_sources(world)
    result: Result = world.run()
    assert result.exit_code == 0
    assert len({job.source_digest for job in world.jobs()}) == 2
    assert [job.start for job in world.jobs()] == ["cold", "warm"]


def shown(world: Watched, index: int) -> dict[str, Any]:
    """The request of a job as ``wpfsm inspect --job`` shows it."""
    from wpfsm.adapters.documents.job import job_document
    from wpfsm.adapters.host.log_archive import FileArchive
    from wpfsm.adapters.host.sources import LocalSources
    from wpfsm.state.paths import siblings

    with world.history() as history:
        job = world.jobs()[index]
        archive = FileArchive(siblings(world.database, "logs"))
        sources = LocalSources(siblings(world.database, "sources"), world.database.parent)
        document = job_document(history, archive, sources, world.loop(), job, world.clock.now())
    request: dict[str, Any] = document["request"]  # type: ignore[assignment]
    return {**request, "Tags": sorted(request["Tags"], key=itemgetter("Key"))}
