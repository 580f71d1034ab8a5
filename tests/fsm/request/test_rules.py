"""What the service or the warm pool rules out is refused by name, before anything is created."""

from __future__ import annotations

from typing import Any

import pytest
from watched_world import Watched, loop_file

from wpfsm.adapters.aws.model_validation import violations
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.request.rules import draft, objections

OWN = {"source": None, "entry": None, "request": "request.json"}


def refused(world: Watched) -> str:
    result = world.run()
    assert result.exit_code == 3
    assert world.emulator.created() == []
    return result.loop.why


@pytest.mark.parametrize(
    ("adds", "named"),
    [
        ({"EnableManagedSpotTraining": True}, "EnableManagedSpotTraining: managed spot training has no warm pool"),
        (
            {"ResourceConfig": {"InstanceGroups": [{"InstanceType": "ml.g5.xlarge", "InstanceCount": 1,
                                                    "InstanceGroupName": "a"}]}},
            "ResourceConfig.InstanceGroups: a heterogeneous cluster has no warm pool",
        ),
        (
            {"ServerlessJobConfig": {"BaseModelArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/x"}},
            "ServerlessJobConfig: serverless customization has no instances to keep warm",
        ),
        ({"RoleArn": "short"}, "pool.role: 5 characters is below the service's minimum of 20 (RoleArn of job.request)"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "Sometimes"}},
            "AlgorithmSpecification.TrainingInputMode: 'Sometimes' is none of Pipe, File, FastFile",
        ),
    ],
    ids=["spot", "heterogeneous", "serverless", "bound", "enumeration"],
)  # fmt: skip
def test_request_of_ones_own_is_checked_whole(adds: dict[str, Any], named: str) -> None:
    """A CreateTrainingJob request that the user brings is refused by the name of the member that rules it out."""
    world = Watched(loop_file(job=OWN))
    world.renderer.adds = adds
    assert named in refused(world)


def test_request_that_contradicts_the_loop_file_is_refused() -> None:
    """Quota, price and limits are those of the loop file's type, so the request must have the same."""
    world = Watched(loop_file(job=OWN))
    resources = {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    world.renderer.adds = {"ResourceConfig": resources}
    why = refused(world)
    assert (
        "pool.instance_type: the loop file says 'ml.g5.xlarge', and the request says 'ml.g5.2xlarge'" in why
    )


def test_instance_type_that_the_service_does_not_have_is_refused() -> None:
    """Botocore would send it: the enumeration is checked here, and the nearest types are named."""
    world = Watched(loop_file(pool={"instance_type": "ml.g5.xxlarge"}))
    why = refused(world)
    assert "pool.instance_type: 'ml.g5.xxlarge' is none of the " in why
    assert "near it are ml.g5.xlarge" in why
    assert world.renderer.rendered == []


FILE = """\
version: 1
name: a
pool:
  instance_type: ml.g5.xlarge
{pool}
job:
  source: src
  entry: train.py
{job}
{rest}
"""


def problems(pool: str = "", job: str = "", rest: str = "") -> str:
    """What the user reads about a loop file: from the file's own rules, else from the service's model."""
    indented = {"pool": f"  {pool}" if pool else "", "job": f"  {job}" if job else "", "rest": rest}
    try:
        file = parse(FILE.format(**indented))
    except UsageError as error:
        return str(error)
    return "\n".join(map(str, objections(draft(file), violations)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"pool": "use_spot_instances: true"}, "pool.use_spot_instances: a warm pool cannot be used with managed spot"),
        ({"pool": "instance_groups: []"}, "pool.instance_groups: a warm pool cannot be a heterogeneous cluster"),
        ({"rest": "serverless: true"}, "serverless: serverless customization has no instances to keep warm"),
        ({"pool": "keep_alive: 0.5s"}, "0.5s is less than a second; write 0 for no pool"),
        ({"pool": "keep_alive: 61m"}, "61m is beyond the documented 60m; write 60m or less"),
        ({"pool": "keep_alive: 7h\n  allow_long_keep_alive: true"}, "7h is beyond the service's 6h"),
        ({"pool": "volume_gb: 0"}, "pool.volume_gb"),
        ({"pool": "instance_count: 0"}, "pool.instance_count"),
        ({"pool": "vpc: {security_groups: [a,b,c,d,e,f], subnets: [s]}"}, "pool.vpc.security_groups"),
        ({"pool": "kms_key: 'a b'"}, "pool.kms_key: 'a b' does not match the service's pattern"),
        ({"pool": "role: arn:aws:iam::123456789012:role/a b"}, "pool.role"),
        ({"job": "max_runtime: 29d"}, "job.max_runtime"),
        ({"job": f"image: {'i' * 256}"}, "job.image"),
        ({"job": "inputs: {my-data: s3://b/d}"}, "job.inputs.my-data: the SDK's driver exports a channel's name"),
        ({"job": f"inputs: {{c{'h' * 64}: s3://b/d}}"}, "job.inputs: 65 characters is beyond the service's maximum of 64"),
        ({"job": 'hyperparameters: {note: "it\'s"}'}, "job.hyperparameters.note: a single quote breaks the SDK's driver"),
        ({"job": f"hyperparameters: {{note: {'n' * 2499}}}"}, "job.hyperparameters: 2501 characters is beyond"),
        ({"job": "environment: {A-B: x}"}, "'A-B' is not a variable name"),
        ({"job": f"environment: {{A: {'x' * 513}}}"}, "has 513 characters; the service takes 512"),
        ({"job": "tags: {'a?': b}"}, "job.tags: 'a?' does not match the service's pattern"),
        ({"rest": "name: Upper"}, "name"),
        (
            {"rest": 'strategy: {type: sweep, method: list, trials: [{note: "it\'s"}]}'},
            "strategy: note: a single quote breaks the SDK's driver",
        ),
        (
            {"rest": 'on_failure: [{when: any, do: scale, set: {note: "it\'s"}}]'},
            "on_failure.0.set.note: a single quote breaks the SDK's driver",
        ),
    ],
    ids=lambda value: next(iter(value.values()))[:30] if isinstance(value, dict) else "",
)  # fmt: skip
def test_bounds_name_the_key(text: dict[str, str], expected: str) -> None:
    """Every bound of the service's model that a loop file can break is refused with the key and the value."""
    content = problems(**text) if "name:" not in text.get("rest", "")[:5] else named("Upper")
    assert expected in content


def named(name: str) -> str:
    try:
        parse(FILE.format(pool="", job="", rest="").replace("name: a", f"name: {name}"))
    except UsageError as error:
        return str(error)
    return ""


def test_longest_names_fit() -> None:
    """A loop's name of 33 characters still makes job names that the service takes; one more is refused."""
    longest = "a" * 33
    file = LoopFile.model_validate({**loop_file(), "version": 1, "name": longest})
    assert objections(draft(file), violations) == []
    assert len(str(draft(file)["TrainingJobName"])) == 44
    assert "name" in named("a" * 34)


def test_a_plain_loop_file_has_no_objection() -> None:
    """The checks pass what the service would take."""
    assert problems() == ""
