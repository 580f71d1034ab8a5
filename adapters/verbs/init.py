"""``init``: a commented loop file, from nothing or from a job that ran."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from wpfsm.adapters.documents.rows import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.verbs.detect import refuse_existing, write_new
from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import JSON

REQUEST_FILE = "create_training_job.json"

_NOT_ASKED = frozenset({"KeepAlivePeriodInSeconds", "SelectedInstanceType", "SelectedInstanceCount"})
"""Members of a described ResourceConfig that the loop sets itself, or that the service only reports."""

TEMPLATE = """\
# A loop of training jobs on one SageMaker managed warm pool.
# Check it with `wpfsm plan FILE`, try it with `wpfsm rehearse FILE` (free), run it with `wpfsm start FILE`. Every key: docs/loop-file.md
version: 1
name: my-loop
backend: local              # local: the embedded emulator really runs the script. aws: SageMaker.
region: us-east-1
pool:                       # the same for every job, or the pool does not match: locked from job 1 on
  # role: arn:aws:iam::123456789012:role/Train    # required for aws
  instance_type: ml.g6e.2xlarge
  instance_count: 1
  volume_gb: 30
  keep_alive: 10m           # how long AWS keeps the idle pool, and bills it, if nobody comes back; 60m at most
job:                        # may change from job to job
  # image: 763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-gpu-py312    # required for aws
  source: src/              # a folder, relative to this file
  entry: train.py           # a script inside it; gets the hyperparameters as --name value
  # requirements: requirements.txt
  # inputs: {train: s3://my-bucket/data}
  # output: s3://my-bucket/output
  hyperparameters: {epochs: 3}
  max_runtime: 1h           # bounds what a job costs that nobody watches
metric:                     # read from the job's log: try the expression with `wpfsm metric test`
  name: eval_loss
  goal: minimize
  regex: 'eval_loss=([0-9.eE+-]+)'
strategy:                   # sweep | until | fix | ablate | recipes | single
  type: sweep
  method: grid              # grid | list | random | bayes
  parameters: {lr: [1e-4, 5e-5, 2e-5]}
limits: {max_jobs: 6, max_cost: 15.00, max_wall: 3h, max_failures: 3}
"""


def init(given: Options, file: Path, from_job: str | None, backend: str, region: str, *, force: bool) -> int:
    """Write the loop file, and with ``from_job`` the request that it names."""
    if from_job is None:
        written = {file: TEMPLATE}
    else:
        text, request = _from_job(given, from_job, backend, region)
        written = {file: text, file.with_name(REQUEST_FILE): json.dumps(request, indent=2) + "\n"}
    if not force:
        for place in written:
            refuse_existing(place)
    for place, text in written.items():
        write_new(place, text, force=force)
    files = [str(place) for place in written]
    hint(f"next: edit {file}, then wpfsm plan {file} and wpfsm rehearse {file}")
    emit(given, {"schema": SCHEMA, "files": files}, "\n".join(files))
    return 0


def _from_job(given: Options, name: str, backend: str, region: str) -> tuple[str, dict[str, JSON]]:
    """The loop file for a job that exists, and its request as the service gives it back."""
    from wpfsm.adapters.aws.clients import Clients
    from wpfsm.adapters.aws.service import SageMakerTraining
    from wpfsm.adapters.targets import target_of
    from wpfsm.fsm.loopfile.load import parse

    target = target_of(backend, region, given.database, given.endpoint_url)
    reading = SageMakerTraining(Clients(target)).describe(name)
    if reading is None:
        raise NotFound(
            f"no training job {name!r} in {region}", fix="wpfsm init --from-job NAME --region REGION"
        )
    request = own_request(reading.request)
    text = loop_file_text(name, reading.request, backend, region)
    parse(text, origin=f"the loop file of {name}")
    return text, request


def own_request(described: Mapping[str, JSON]) -> dict[str, JSON]:
    """A request for ``job.request`` from what DescribeTrainingJob gives back."""
    request: dict[str, JSON] = {
        member: value for member, value in described.items() if value not in ({}, [], None)
    }
    resources = _mapping(request.get("ResourceConfig"))
    request["ResourceConfig"] = {name: value for name, value in resources.items() if name not in _NOT_ASKED}
    algorithm = dict(_mapping(request.get("AlgorithmSpecification")))
    algorithm.pop("MetricDefinitions", None)
    request["AlgorithmSpecification"] = algorithm
    return request


def loop_file_text(name: str, request: Mapping[str, JSON], backend: str, region: str) -> str:
    """A commented loop file around a request."""
    loop_name = re.sub(r"[^a-z0-9]+", "-", name.lower())[:33].strip("-") or "my-loop"
    lines = [
        f"# From the training job {name}. Check it with `wpfsm plan FILE`. Every key: docs/loop-file.md",
        "version: 1",
        f"name: {loop_name}",
        f"backend: {backend}",
        f"region: {region}",
        "pool:                       # the same for every job: locked from job 1 on",
        *_pool_lines(request),
        "  keep_alive: 10m           # how long AWS keeps the idle pool, and bills it, if nobody comes back",
        "job:                        # may change from job to job",
        f"  request: {REQUEST_FILE}    # what the job was made from: code, image, inputs, output",
        f"  hyperparameters: {_hyperparameters(request)}",
        f"  max_runtime: {_max_runtime(request)}s",
        *_metric_lines(request),
        "strategy:                   # sweep | until | fix | ablate | recipes | single",
        "  type: sweep",
        "  method: list",
        "  trials: [{}]              # TODO: the hyperparameters to try, such as [{lr: 1e-4}, {lr: 5e-5}]",
        "limits: {max_jobs: 6, max_cost: 15.00, max_wall: 3h, max_failures: 3}",
    ]
    return "\n".join(lines) + "\n"


def _pool_lines(request: Mapping[str, JSON]) -> list[str]:
    resources, vpc = _mapping(request["ResourceConfig"]), _mapping(request.get("VpcConfig"))
    pool: dict[str, JSON] = {
        "role": request.get("RoleArn"),
        "instance_type": resources.get("InstanceType"),
        "instance_count": resources.get("InstanceCount"),
        "volume_gb": resources.get("VolumeSizeInGB"),
        "kms_key": resources.get("VolumeKmsKeyId"),
        "vpc": {"security_groups": vpc.get("SecurityGroupIds"), "subnets": vpc.get("Subnets")}
        if vpc
        else None,
        "encrypt_traffic": request.get("EnableInterContainerTrafficEncryption") or None,
        "network_isolation": request.get("EnableNetworkIsolation") or None,
    }
    return [f"  {key}: {json.dumps(value)}" for key, value in pool.items() if value is not None]


def _hyperparameters(request: Mapping[str, JSON]) -> str:
    """Those that a loop can change; what the SDK keeps for itself stays in the request."""
    chosen = {
        name: _value(str(value))
        for name, value in _mapping(request.get("HyperParameters")).items()
        if not name.startswith("sagemaker_") and "'" not in str(value)
    }
    return json.dumps(chosen)


def _value(text: str) -> JSON:
    try:
        value: JSON = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _max_runtime(request: Mapping[str, JSON]) -> int:
    seconds = _mapping(request.get("StoppingCondition")).get("MaxRuntimeInSeconds")
    return int(seconds) if isinstance(seconds, int | float) else 3600


def _metric_lines(request: Mapping[str, JSON]) -> list[str]:
    definitions = _mapping(request.get("AlgorithmSpecification")).get("MetricDefinitions")
    if isinstance(definitions, list) and definitions and isinstance(definitions[0], Mapping):
        first = definitions[0]
        return [
            "metric:",
            f"  name: {json.dumps(first['Name'])}",
            "  goal: minimize            # TODO: or maximize",
            f"  regex: {json.dumps(first['Regex'])}",
        ]
    return [
        "# metric: {name: eval_loss, goal: minimize, regex: 'eval_loss=([0-9.eE+-]+)'}    # TODO: what to compare"
    ]


def _mapping(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
