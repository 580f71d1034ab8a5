"""Quotas are counted where the instances are."""

from __future__ import annotations

import pytest
from emulator_requests import training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.engine.settings import Settings

HERE = ("us-east-1", "123456789012")


PLACES = [("eu-west-1", "123456789012"), ("us-east-1", "210987654321")]


@pytest.mark.parametrize(("region", "account"), PLACES)
def test_quotas_are_counted_apart(stage: Stage, region: str, account: str) -> None:
    """Instances in one place do not use up the quota of another."""
    stage.show(Settings(quotas={("ml.m5.large", "training"): 1}))
    here, there = stage.client("sagemaker", *HERE), stage.client("sagemaker", region, account)
    here.create_training_job(**training_job("a"))
    there.create_training_job(**training_job("a"))
    for client in (here, there):
        with pytest.raises(client.exceptions.ResourceLimitExceeded):
            client.create_training_job(**training_job("b"))
