"""What CreateTrainingJob refuses beyond its model: members that exclude or require one another.

The wording is the service's where a source has it; the codes are ValidationException throughout.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import cast

from wpfsm.adapters.emulator.engine.errors import invalid
from wpfsm.adapters.emulator.engine.metrics import compile_expression
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.engine.settings import Switches

logger = logging.getLogger(__name__)

GUIDE_KEEP_ALIVE = 3600
LONGEST_RUNTIME = 28 * 24 * 3600
LOCAL_STORAGE = (
    "g4dn",
    "g5",
    "g6",
    "g6e",
    "g7",
    "g7e",
    "p3dn",
    "p4d",
    "p4de",
    "p5",
    "p5e",
    "p5en",
    "c5d",
    "r5d",
)
NOT_EMULATED = ("ServerlessJobConfig", "ModelPackageConfig")


def check_create(request: Request, switches: Switches) -> None:
    """Refuse a request that the model admits and the service does not.

    Raises:
        ServiceError: ValidationException with the first thing that is wrong.
    """
    for problem in _problems(request, switches):
        raise invalid(problem)


def check_keep_alive(seconds: int, switches: Switches) -> None:
    """Refuse a keep-alive above the guide's cap, or warn of it, as the switch says.

    Raises:
        ServiceError: ValidationException.
    """
    if seconds <= GUIDE_KEEP_ALIVE:
        return
    if switches.long_keep_alive == "reject":
        raise invalid(
            f"KeepAlivePeriodInSeconds must be less than or equal to {GUIDE_KEEP_ALIVE}, not {seconds}."
        )
    logger.warning("a keep-alive of %s s is above the developer guide's cap of 3600 s", seconds)


def _problems(request: Request, switches: Switches) -> Iterator[str]:
    for name in NOT_EMULATED:
        if name in request:
            yield f"The emulator does not offer {name}."
    for name in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if name not in request:
            yield f"{name} is required for a training job that is not serverless."
    yield from _algorithm(cast("Request", request["AlgorithmSpecification"]))
    resources = cast("Request", request["ResourceConfig"])
    yield from _resources(resources)
    yield from _time(request)
    yield from _unique(request)
    yield from _paths(request)
    keep_alive = cast("int", resources.get("KeepAlivePeriodInSeconds", 0))
    if keep_alive > 0:
        yield from _warm_pool(request, resources, switches)
        check_keep_alive(keep_alive, switches)
    yield from _half_done(request)


def _half_done(request: Request) -> Iterator[str]:
    """Name what is valid and could be done in part only, so that a success would promise too much."""
    algorithm = cast("Request", request["AlgorithmSpecification"])
    if "AlgorithmName" in algorithm:
        yield "The emulator does not offer AlgorithmName: it has no algorithms, only images."
    if cast("Request", request["ResourceConfig"]).get("InstanceGroups"):
        yield "The emulator does not offer InstanceGroups: every host of a job is alike."
    for channel in cast("list[Request]", request.get("InputDataConfig", [])):
        source = cast("dict[str, Request]", channel.get("DataSource", {}))
        kind = source.get("S3DataSource", {}).get("S3DataType")
        mode = channel.get("InputMode") or algorithm.get("TrainingInputMode")
        for unoffered, what in (
            (mode == "Pipe", "Pipe mode"),
            ("FileSystemDataSource" in source, "FileSystemDataSource"),
            (kind == "AugmentedManifestFile", "AugmentedManifestFile"),
        ):
            if unoffered:
                yield f"The emulator does not offer {what}, which channel {channel['ChannelName']} asks for."


def _paths(request: Request) -> Iterator[str]:
    path = str(cast("Request", request.get("CheckpointConfig", {})).get("LocalPath", ""))
    if ".." in path.split("/"):
        yield f"LocalPath {path} of CheckpointConfig must not lead out of its directory."


def _algorithm(algorithm: Request) -> Iterator[str]:
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        yield "You must specify either AlgorithmName or TrainingImage, and not both."
    for definition in cast("list[dict[str, str]]", algorithm.get("MetricDefinitions", [])):
        try:
            compile_expression(definition["Regex"])
        except ValueError as error:
            yield f"The regex of metric {definition['Name']} is not valid: {error}."


def _resources(resources: Request) -> Iterator[str]:
    for name in ("SelectedInstanceType", "SelectedInstanceCount"):
        if name in resources:
            yield f"{name} is read-only."
    for name in ("InstancePreferences", "InstancePlacementConfig"):
        if name in resources:
            yield f"The emulator does not offer {name}."
    groups = cast("list[Request]", resources.get("InstanceGroups", []))
    if groups and ("InstanceType" in resources or "InstanceCount" in resources):
        yield "You can't specify InstanceGroups together with InstanceType or InstanceCount."
    if not groups and ("InstanceType" not in resources or "InstanceCount" not in resources):
        yield "ResourceConfig requires InstanceType and InstanceCount, or InstanceGroups."
    if "VolumeSizeInGB" not in resources:
        yield "ResourceConfig requires VolumeSizeInGB."
    elif resources["VolumeSizeInGB"] == 0:
        yield "VolumeSizeInGB must be greater than or equal to 1."
    for each in groups or [resources]:
        if each.get("InstanceCount") == 0:
            yield "InstanceCount must be greater than or equal to 1."
        family = str(each.get("InstanceType")).split(".")[1]
        if family in LOCAL_STORAGE and "VolumeKmsKeyId" in resources:
            yield f"VolumeKmsKeyId is not supported for {each['InstanceType']}, whose storage is local."


def _time(request: Request) -> Iterator[str]:
    condition = cast("dict[str, int]", request["StoppingCondition"])
    spot = bool(request.get("EnableManagedSpotTraining"))
    run = condition.get("MaxRuntimeInSeconds", 24 * 3600)
    wait = condition.get("MaxWaitTimeInSeconds")
    if run > LONGEST_RUNTIME:
        yield f"MaxRuntimeInSeconds must be less than or equal to {LONGEST_RUNTIME}, not {run}."
    if wait is not None and not spot:
        yield "MaxWaitTimeInSeconds above 0 is only supported with EnableManagedSpotTraining."
    if spot and wait is None:
        yield "MaxWaitTimeInSeconds is required with EnableManagedSpotTraining."
    if wait is not None and wait < run:
        yield "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."


def _unique(request: Request) -> Iterator[str]:
    channels = [each["ChannelName"] for each in cast("list[Request]", request.get("InputDataConfig", []))]
    if len(channels) != len(set(map(str, channels))):
        yield "Channel names must be unique."
    keys = [each["Key"] for each in cast("list[Request]", request.get("Tags", []))]
    if len(keys) != len(set(map(str, keys))):
        yield "Duplicate tag keys found. Please note that Tag keys are case insensitive."


def _warm_pool(request: Request, resources: Request, switches: Switches) -> Iterator[str]:
    if request.get("EnableManagedSpotTraining") and switches.spot_keep_alive == "reject":
        yield "KeepAlivePeriodInSeconds is not supported with EnableManagedSpotTraining."
    if resources.get("InstanceGroups"):
        yield "KeepAlivePeriodInSeconds is not supported with InstanceGroups."
    if "TrainingPlanArn" in resources and switches.training_plan_keep_alive == "reject":
        yield "KeepAlivePeriodInSeconds is not supported with TrainingPlanArn."
