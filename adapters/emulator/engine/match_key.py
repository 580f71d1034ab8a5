"""The match key: what a job must share with a pool to run on it (developer guide, train-warm-pools)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.engine.settings import Switches
from wpfsm.adapters.emulator.runner.base import JSONValue

MATCHED_RESOURCES = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
MATCHED_FLAGS = ("EnableInterContainerTrafficEncryption", "EnableNetworkIsolation")


def match_key(request: Request, session_tags: Sequence[str], switches: Switches) -> str:
    """Return a text that is equal for two requests exactly when one can reuse the other's pool.

    Args:
        request: A CreateTrainingJob request.
        session_tags: The keys of the caller's session tags, sorted.
        switches: Settle what the guide leaves open.
    """
    resources = cast("Request", request.get("ResourceConfig", {}))
    network = cast("dict[str, list[str]]", request.get("VpcConfig", {}))
    order = list if switches.vpc_order_matters else sorted
    fields: dict[str, JSONValue] = {
        "RoleArn": request["RoleArn"],
        **{name: resources.get(name) for name in MATCHED_RESOURCES},
        "VolumeKmsKeyId": _kms_key(resources.get("VolumeKmsKeyId"), switches),
        "TrainingPlanArn": resources.get("TrainingPlanArn") if switches.training_plan_matters else None,
        # The guide excludes managed spot from warm pools: a spot job takes no pool of instances on demand.
        "EnableManagedSpotTraining": bool(request.get("EnableManagedSpotTraining")),
        **{name: cast("JSONValue", order(network.get(name, []))) for name in ("SecurityGroupIds", "Subnets")},
        **{name: _flag(request.get(name), switches) for name in MATCHED_FLAGS},
        "SessionTagKeys": list(session_tags) if _chained(request) else None,
    }
    return json.dumps(fields, sort_keys=True)


def _kms_key(value: JSONValue, switches: Switches) -> JSONValue:
    """Return a key as it is compared: an ARN is ``arn:...:key/<id>``."""
    if switches.kms_spelling_matters or not isinstance(value, str):
        return value
    return value.rpartition(":key/")[2]


def _flag(value: JSONValue, switches: Switches) -> JSONValue:
    return bool(value) if switches.absent_is_false else value


def _chained(request: Request) -> bool:
    """Tell whether the session's tags are passed on; both jobs must do it or neither."""
    chaining = cast("Request", request.get("SessionChainingConfig", {}))
    return bool(chaining.get("EnableSessionTagChaining", False))
