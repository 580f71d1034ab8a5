"""Warm pools as the developer guide documents them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract_world import FAILS, SLEEPS, World

TRAINING = "Training"


def startup(answer: dict[str, Any]) -> float:
    """Return the seconds from Starting to Training."""
    starts = {t["Status"]: t["StartTime"] for t in reversed(answer["SecondaryStatusTransitions"])}
    return float((starts[TRAINING] - starts["Starting"]).total_seconds())


def test_a_completed_job_leaves_an_available_pool_and_the_next_one_starts_warm(each_endpoint: World) -> None:
    """The second job takes the first one's pool: Reused there, InUse here, and a quicker start."""
    first = each_endpoint.create()
    cold = each_endpoint.finished_with_pool(first)
    second = each_endpoint.create()
    assert each_endpoint.pool(second) in {"InUse", "Available"}
    warm = each_endpoint.finished_with_pool(second)
    old = each_endpoint.describe(first)["WarmPoolStatus"]
    assert (old["Status"], old["ReusedByJob"]) == ("Reused", second)
    assert "ResourceRetainedBillableTimeInSeconds" in old
    assert startup(warm) < startup(cold)


def test_release_is_an_update_to_zero_that_ends_in_terminated(each_endpoint: World) -> None:
    """Keep-alive 0 releases the pool; polls see Terminated in the end and then the final retained time."""
    name = each_endpoint.create()
    each_endpoint.finished_with_pool(name)
    each_endpoint.release(name)
    answer = each_endpoint.until(name, lambda a: a["WarmPoolStatus"]["Status"] == "Terminated")
    assert answer["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"] >= 0


def test_a_pool_that_is_being_released_is_not_reused(endpoint: World) -> None:
    """A matching job that comes right after the release starts cold; the pool ends for its own owner."""
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    endpoint.release(first)
    second = endpoint.create()
    endpoint.until(first, lambda a: a["WarmPoolStatus"]["Status"] == "Terminated")
    endpoint.finished_with_pool(second)
    assert "ReusedByJob" not in endpoint.describe(first)["WarmPoolStatus"]


def test_a_release_cannot_be_taken_back(endpoint: World) -> None:
    """A pool that is being released cannot be extended; releasing it again is no error."""
    if endpoint.emulator is None:
        pytest.skip("how long the service takes for a release is not known")
    name = endpoint.create()
    endpoint.finished_with_pool(name)
    endpoint.release(name)
    endpoint.release(name)
    with pytest.raises(ClientError, match="being released"):
        endpoint.sagemaker.update_training_job(
            TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": 600}
        )
    endpoint.until(name, lambda a: a["WarmPoolStatus"]["Status"] == "Terminated")


def test_without_keep_alive_no_pool_is_left(endpoint: World) -> None:
    """A job without a keep-alive never has a WarmPoolStatus."""
    answer = endpoint.finished(endpoint.create(keep_alive=None))
    assert "WarmPoolStatus" not in answer


def test_keep_alive_zero_is_the_same_as_none(endpoint: World) -> None:
    """Keep-alive 0 leaves no pool."""
    assert "WarmPoolStatus" not in endpoint.finished(endpoint.create(keep_alive=0))


def test_a_stopped_job_leaves_a_billing_pool(endpoint: World) -> None:
    """StopTrainingJob after the launch does not release: the pool is Available until it is updated to 0."""
    name = endpoint.create(does=SLEEPS)
    endpoint.until(name, lambda a: a["SecondaryStatus"] == TRAINING)
    endpoint.sagemaker.stop_training_job(TrainingJobName=name)
    assert endpoint.finished_with_pool(name)["TrainingJobStatus"] == "Stopped"


def test_a_job_stopped_before_its_launch_leaves_none(endpoint: World) -> None:
    """There is nothing to keep before the instances are launched."""
    name = endpoint.create()
    endpoint.sagemaker.stop_training_job(TrainingJobName=name)
    answer = endpoint.finished(name)
    assert answer["TrainingJobStatus"] == "Stopped"
    assert "WarmPoolStatus" not in answer


def test_an_algorithm_error_leaves_a_pool(endpoint: World) -> None:
    """A failed script leaves its cluster healthy, and the next job starts warm on it."""
    failed = endpoint.create(does=FAILS)
    endpoint.finished_with_pool(failed)
    fixed = endpoint.create()
    assert endpoint.pool(fixed) == "InUse"
    assert endpoint.describe(failed)["WarmPoolStatus"]["ReusedByJob"] == fixed


def test_the_newest_job_s_keep_alive_counts(endpoint: World) -> None:
    """A follow-on job without keep-alive reuses the pool and lets it go."""
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    last = endpoint.create(keep_alive=None)
    assert endpoint.pool(first) == "Reused"
    endpoint.finished(last)
    assert endpoint.pool(last) in {None, "Terminated"}


def test_a_reused_job_can_release_nothing(endpoint: World) -> None:
    """After reuse the pool belongs to the newest job: an update of the older one is refused."""
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    second = endpoint.create()
    endpoint.finished_with_pool(second)
    with pytest.raises(ClientError) as refused:
        endpoint.release(first)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert endpoint.pool(second) == "Available"


def test_a_running_job_cannot_be_released(endpoint: World) -> None:
    """Release needs a finished job with an Available pool."""
    name = endpoint.create(does=SLEEPS)
    with pytest.raises(ClientError) as refused:
        endpoint.release(name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_busy_pool_does_not_queue(endpoint: World) -> None:
    """A matching job that comes while the pool is in use starts cold on a cluster of its own."""
    first = endpoint.create(does=SLEEPS)
    endpoint.until(first, lambda a: a["SecondaryStatus"] == TRAINING)
    second = endpoint.create()
    endpoint.finished_with_pool(second)
    assert endpoint.describe(first)["WarmPoolStatus"]["Status"] == "InUse"


MISMATCHES: list[dict[str, Any]] = [
    {"resources": {"VolumeSizeInGB": 11}},
    {"resources": {"InstanceCount": 2}},
    {"resources": {"InstanceType": "ml.m5.xlarge"}},
    {"EnableNetworkIsolation": True},
    {"EnableInterContainerTrafficEncryption": True},
    {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
    {"RoleArn": "arn:aws:iam::123456789012:role/Other"},
    {"SessionChainingConfig": {"EnableSessionTagChaining": True}},
    {"resources": {"VolumeKmsKeyId": "key-1"}},
]


@pytest.mark.parametrize("changes", MISMATCHES, ids=lambda c: "-".join(c.get("resources", c)))
def test_a_mismatch_starts_cold_and_leaves_the_pool_alone(endpoint: World, changes: dict[str, Any]) -> None:
    """Every field of the match key counts; the pool of a job that does not match stays Available."""
    if endpoint.emulator is None:
        pytest.skip("needs roles, keys and subnets that an account may not have")
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    other = endpoint.create(**changes)
    endpoint.finished_with_pool(other)
    assert endpoint.pool(first) == "Available"


def test_a_spot_job_takes_no_pool(endpoint: World) -> None:
    """Managed spot has no part in warm pools: such a job matches nothing, and the pool stays Available."""
    if endpoint.emulator is None:
        pytest.skip("spot capacity may take longer than a test")
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    spot = endpoint.create(
        keep_alive=None, EnableManagedSpotTraining=True, stopping={"MaxWaitTimeInSeconds": 3600}
    )
    endpoint.finished(spot)
    assert endpoint.pool(first) == "Available"


FREE: list[dict[str, Any]] = [
    {"HyperParameters": {"lr": "0.1"}},
    {"Environment": {"A": "b"}},
    {"keep_alive": 900},
    {"stopping": {"MaxRuntimeInSeconds": 900}},
    {"Tags": [{"Key": "a", "Value": "b"}]},
    {"algorithm": {"MetricDefinitions": []}},
    {"EnableNetworkIsolation": False},
]


@pytest.mark.parametrize("changes", FREE, ids=lambda c: "-".join(c))
def test_everything_else_is_free(endpoint: World, changes: dict[str, Any]) -> None:
    """What is not in the match key may change from job to job."""
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    second = endpoint.create(**changes)
    assert endpoint.pool(first) == "Reused"
    endpoint.finished(second)


def test_keep_alive_can_be_extended_while_available(endpoint: World) -> None:
    """An update to another keep-alive keeps the pool, and Describe shows it."""
    name = endpoint.create()
    endpoint.finished_with_pool(name)
    endpoint.sagemaker.update_training_job(
        TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": 1200}
    )
    answer = endpoint.describe(name)
    assert answer["WarmPoolStatus"]["Status"] == "Available"
    assert answer["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 1200


def test_an_empty_update_is_refused(endpoint: World) -> None:
    """UpdateTrainingJob with nothing but a name is refused in the service's words."""
    name = endpoint.create()
    with pytest.raises(ClientError, match="the request cannot be empty"):
        endpoint.sagemaker.update_training_job(TrainingJobName=name)


def test_a_job_with_an_available_pool_cannot_be_deleted(endpoint: World) -> None:
    """Release comes before delete."""
    name = endpoint.create()
    endpoint.finished_with_pool(name)
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceInUse):
        endpoint.sagemaker.delete_training_job(TrainingJobName=name)
    endpoint.release(name)
    endpoint.until(name, lambda a: a["WarmPoolStatus"]["Status"] == "Terminated")
    endpoint.sagemaker.delete_training_job(TrainingJobName=name)
