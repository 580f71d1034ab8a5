"""From a base request and a trial to the request of one job.

The base request is rendered once per source digest. A job changes its free members and its name, and
nothing else: what a job row keeps is exactly those members.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import JSON, Trial, as_mapping

SDK_DRIVER = "sm_drivers"
"""Name of the channel that holds the SageMaker SDK's driver scripts."""
DIGEST_TAG = "wpfsm:digest"
LOOP_TAG = "wpfsm:loop"
CACHE = "/opt/ml/sagemaker/warmpoolcache"
"""The pool's persistent cache (developer guide, train-warm-pools): it survives from job to job."""

CACHE_ENVIRONMENT: Mapping[str, str] = {
    "PIP_CACHE_DIR": f"{CACHE}/pip",
    "UV_CACHE_DIR": f"{CACHE}/uv",
    "HF_HOME": f"{CACHE}/huggingface",
    "TORCH_HOME": f"{CACHE}/torch",
    "TORCHINDUCTOR_CACHE_DIR": f"{CACHE}/torchinductor",
    "TRITON_CACHE_DIR": f"{CACHE}/triton",
    "NUMBA_CACHE_DIR": f"{CACHE}/numba",
}
"""Where the caches of packages, models and compiled kernels point, so that a warm start downloads nothing twice. The guide's sample
says PIP_CACHE_DIRECTORY; pip reads PIP_CACHE_DIR."""


CHECKPOINTS = f"{CACHE}/wpfsm-checkpoint"
"""One folder for all trials of a loop that carry the checkpoint on, and one for each other trial: neither a smoke
trial nor another loop, whose pool this was, may leave what a full trial begins with."""

_FREE_IN_BASE = ("AlgorithmSpecification", "InputDataConfig", "OutputDataConfig")
"""Free members that a base request holds."""


def job_name(loop_id: str, number: int) -> str:
    """The idempotency key: the same job asks for the same name, whoever asks and however often."""
    return f"{loop_id}-{number:03d}"


def free_members(
    file: LoopFile,
    base: Request,
    *,
    loop_id: str,
    number: int,
    trial: Trial,
    params: Mapping[str, JSON],
    keep_alive: float,
    carried_from: int | None = None,
) -> dict[str, JSON]:
    """The members that make this job's request, the name and the digest tag among them.

    ``carried_from`` is the trial whose checkpoint a trial that carries one on begins with; None for the checkpoint
    that the carried trials of the loop share.
    """
    resources = dict(as_mapping(base.get("ResourceConfig")))
    resources.pop("KeepAlivePeriodInSeconds", None)
    if keep_alive:
        resources["KeepAlivePeriodInSeconds"] = int(keep_alive)
    environment = {
        **as_mapping(base.get("Environment")),
        **(_cache_environment(loop_id, trial, carried_from) if file.keeps_pool else {}),
        **file.job.environment,
        **trial.environment,
    }
    if trial.carry_checkpoint:
        environment["WPFSM_CARRY_CHECKPOINT"] = "1"
    members: dict[str, JSON] = {
        "TrainingJobName": job_name(loop_id, number),
        "ResourceConfig": resources,
        "HyperParameters": {
            **as_mapping(base.get("HyperParameters")),
            **{name: encode(value, base) for name, value in params.items()},
        },
        "Environment": environment,
        "StoppingCondition": {"MaxRuntimeInSeconds": int(file.job.max_runtime)},
    }
    # In the job's own row, for these change with the loop file while the source stays the same.
    members |= {name: base[name] for name in _FREE_IN_BASE if name in base}
    if file.definitions:
        members["AlgorithmSpecification"] = {
            **as_mapping(base.get("AlgorithmSpecification")),
            "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in file.definitions],
        }
    if file.track.by_service:
        members["MlflowConfig"] = {
            "MlflowResourceArn": file.track.mlflow,
            "MlflowExperimentName": file.track.experiment or file.name,
            "MlflowRunName": run_name(loop_id, trial.number),
        }
    tags = {**file.job.tags, LOOP_TAG: loop_id}
    tags[DIGEST_TAG] = digest({**base, **members, "Tags": _tags(tags)})
    members["Tags"] = _tags(tags)
    return members


def run_name(loop_id: str, trial: int) -> str:
    """What a trial is called where trials are tracked."""
    return f"{loop_id}-trial-{trial:03d}"


def compose(base: Request, members: Mapping[str, JSON]) -> Request:
    """The whole request."""
    return {**base, **members}


def digest(request: Request) -> str:
    """16 hex digits over the request; the tag that carries it is left out of it."""
    whole = {**request, "Tags": [t for t in _sequence(request.get("Tags")) if _key(t) != DIGEST_TAG]}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


def encode(value: JSON, base: Request) -> str:
    """A hyperparameter as the container expects it.

    The SDK's driver decodes each value as JSON (so the string ``"1.10"`` needs its quotes), and so does the
    training toolkit in script mode; any other container reads plain strings.
    """
    return value if isinstance(value, str) and not decodes_json(base) else json.dumps(value)


def decodes_json(base: Request) -> bool:
    """Whether whoever reads the hyperparameters of this request decodes each of them as JSON."""
    return _has_sdk_driver(base) or _is_script_mode(base)


def _has_sdk_driver(base: Request) -> bool:
    """Whether the SDK's driver runs the script: it comes as a channel of its own."""
    channels = _sequence(base.get("InputDataConfig"))
    return any(as_mapping(channel).get("ChannelName") == SDK_DRIVER for channel in channels)


def _is_script_mode(base: Request) -> bool:
    """Whether the request is one of a framework estimator of SDK v2, whose own values show the encoding."""
    given = as_mapping(base.get("HyperParameters"))
    shown = [given.get(name) for name in ("sagemaker_program", "sagemaker_submit_directory")]
    return any(isinstance(value, str) and value.startswith('"') for value in shown)


def _cache_environment(loop_id: str, trial: Trial, carried_from: int | None) -> dict[str, JSON]:
    own = carried_from if trial.carry_checkpoint else trial.number
    folder = loop_id if own is None else f"{loop_id}-trial-{own}"
    return {**CACHE_ENVIRONMENT, "WPFSM_CHECKPOINT_DIR": f"{CHECKPOINTS}/{folder}"}


def _tags(tags: Mapping[str, str]) -> list[JSON]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _key(tag: JSON) -> JSON:
    return tag.get("Key") if isinstance(tag, Mapping) else None


def _sequence(value: JSON) -> Sequence[JSON]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
