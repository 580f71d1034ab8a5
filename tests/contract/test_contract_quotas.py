"""Service Quotas, and what a quota does to jobs and pools."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract_world import INSTANCE_TYPE, SLEEPS, World

from wpfsm.adapters.emulator.engine.service_model import instance_types

POOL = f"{INSTANCE_TYPE} for training warm pool usage"
TRAINING = f"{INSTANCE_TYPE} for training job usage"


def every(world: World, operation: str) -> dict[str, dict[str, Any]]:
    """Return all SageMaker quotas by name, through the paginator."""
    pages = world.client("service-quotas").get_paginator(operation).paginate(ServiceCode="sagemaker")
    return {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}


def allow(world: World, quota: str, value: int) -> None:
    """Set a quota, which only an emulator can."""
    if world.emulator is None:
        pytest.skip("a real account's quotas are what they are")
    code = every(world, "list_aws_default_service_quotas")[quota]["QuotaCode"]
    with world.emulator.engine.transaction():
        world.emulator.engine.quotas.apply(("123456789012", "us-east-1"), code, value)


def test_every_instance_type_has_both_quotas_by_default(endpoint: World) -> None:
    """The defaults name training job usage and warm pool usage of every instance type of the model."""
    defaults = every(endpoint, "list_aws_default_service_quotas")
    assert {POOL, TRAINING} <= set(defaults)
    if endpoint.emulator is not None:
        wanted = {f"{t} for training {u} usage" for t in instance_types() for u in ("job", "warm pool")}
        assert wanted == set(defaults)
        assert len({quota["QuotaCode"] for quota in defaults.values()}) == len(wanted)


def test_a_quota_is_read_by_its_code(endpoint: World) -> None:
    """GetAWSDefaultServiceQuota answers by code; a code that is not there is NoSuchResource."""
    quotas = endpoint.client("service-quotas")
    code = every(endpoint, "list_aws_default_service_quotas")[POOL]["QuotaCode"]
    answer = quotas.get_aws_default_service_quota(ServiceCode="sagemaker", QuotaCode=code)
    assert answer["Quota"]["QuotaName"] == POOL
    with pytest.raises(quotas.exceptions.NoSuchResourceException):
        quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode="L-00000000")
    with pytest.raises(quotas.exceptions.NoSuchResourceException):
        quotas.get_service_quota(ServiceCode="nothing", QuotaCode=code)


def test_an_applied_value_is_what_get_and_list_show(endpoint: World) -> None:
    """A changed quota shows its value in both, and the default stays."""
    allow(endpoint, POOL, 3)
    quotas = endpoint.client("service-quotas")
    listed = every(endpoint, "list_service_quotas")[POOL]
    code = listed["QuotaCode"]
    got = quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]
    assert listed["Value"] == got["Value"] == 3
    default = quotas.get_aws_default_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]
    assert default["Value"] != 3


def test_a_short_warm_pool_quota_is_a_silent_no_op(endpoint: World) -> None:
    """Without warm pool quota the job is fine and its cluster is not kept: no error, no pool."""
    allow(endpoint, POOL, 0)
    answer = endpoint.finished(endpoint.create())
    assert answer["TrainingJobStatus"] == "Completed"
    assert answer.get("WarmPoolStatus", {}).get("Status") in {None, "Terminated"}


def test_the_warm_pool_quota_counts_instances(endpoint: World) -> None:
    """A quota of one does not keep a cluster of two instances, a quota of two does, and no third instance."""
    allow(endpoint, POOL, 1)
    answer = endpoint.finished(endpoint.create(resources={"InstanceCount": 2}))
    assert "WarmPoolStatus" not in answer
    allow(endpoint, POOL, 2)
    endpoint.finished_with_pool(endpoint.create(resources={"InstanceCount": 2}))
    assert "WarmPoolStatus" not in endpoint.finished(endpoint.create())


def test_the_training_quota_refuses_at_create(endpoint: World) -> None:
    """Too many instances is ResourceLimitExceeded at Create, naming limit, use and request; no job exists."""
    allow(endpoint, TRAINING, 1)
    endpoint.create(does=SLEEPS)
    words = "is 1 Instances, with current utilization of 1 Instances and a request delta of 1 Instances"
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceLimitExceeded, match=words):
        endpoint.create()
    with pytest.raises(ClientError, match="not found"):
        endpoint.describe(endpoint.made[-1])


def test_an_idle_pool_counts_against_the_training_quota(endpoint: World) -> None:
    """A job that does not match is refused because of its own account's idle pool; one that matches is not."""
    allow(endpoint, TRAINING, 1)
    first = endpoint.create()
    endpoint.finished_with_pool(first)
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceLimitExceeded):
        endpoint.create(resources={"VolumeSizeInGB": 11})
    second = endpoint.create()
    endpoint.finished_with_pool(second)
    endpoint.release(second)
    endpoint.until(second, lambda a: a["WarmPoolStatus"]["Status"] == "Terminated")
    endpoint.finished(endpoint.create(resources={"VolumeSizeInGB": 11}))


def test_an_increase_is_requested_once(endpoint: World) -> None:
    """A request is pending and listed; a second one for the same quota is refused; a lower one too."""
    if endpoint.emulator is None:
        pytest.skip("a request of a real account goes to a person")
    quotas = endpoint.client("service-quotas")
    code = every(endpoint, "list_aws_default_service_quotas")[POOL]["QuotaCode"]
    ask = {"ServiceCode": "sagemaker", "QuotaCode": code}
    with pytest.raises(quotas.exceptions.IllegalArgumentException):
        quotas.request_service_quota_increase(**ask, DesiredValue=1)
    made = quotas.request_service_quota_increase(**ask, DesiredValue=500)["RequestedQuota"]
    assert (made["Status"], made["DesiredValue"]) == ("PENDING", 500)
    with pytest.raises(quotas.exceptions.ResourceAlreadyExistsException):
        quotas.request_service_quota_increase(**ask, DesiredValue=600)
    history = quotas.list_requested_service_quota_change_history_by_quota(**ask)["RequestedQuotas"]
    assert [each["Id"] for each in history] == [made["Id"]]
    allow(endpoint, POOL, 500)
    found = quotas.get_requested_service_quota_change(RequestId=made["Id"])["RequestedQuota"]
    assert found["Status"] == "APPROVED"
