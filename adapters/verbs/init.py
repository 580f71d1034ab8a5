"""``init``: a commented loop file, from nothing or from a job that ran."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

from wpfsm.adapters.aws.own_request import NOT_ASKED, REPORTED
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.verbs.detect import refuse_existing, write_new
from wpfsm.fsm.errors import NotFound, Refused
from wpfsm.fsm.records import JSON, as_mapping
from wpfsm.fsm.request.compose import decodes_json
from wpfsm.fsm.units import usd

REQUEST_FILE = "create_training_job.json"

_NOT_ASKED = NOT_ASKED | {"KeepAlivePeriodInSeconds"}
"""Members of a described ResourceConfig that the loop sets itself, or that the service only reports."""

_HOURS, _DOLLARS, _KEEP_ALIVE = 3, 15, 600.0
"""What a written file allows at least, and the keep-alive that it states, in seconds."""

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
            refuse_existing(place, "name another file, or write over it with --force")
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
    from wpfsm.adapters.aws.targets import target_of
    from wpfsm.fsm.loopfile.load import parse

    target = target_of(backend, region, given.database, given.endpoint_url)
    reading = SageMakerTraining(Clients(target)).describe(name)
    if reading is None:
        raise NotFound(
            f"no training job {name!r} in {region}", fix="wpfsm init --from-job NAME --region REGION"
        )
    if as_mapping(reading.request.get("ResourceConfig")).get("InstanceGroups"):
        raise Refused(
            f"{name} ran on a heterogeneous cluster, which has no warm pool (ResourceConfig.InstanceGroups)",
            fix="take a job of one instance type",
        )
    request = own_request(reading.request)
    text = loop_file_text(name, reading.request, backend, region)
    parse(text, origin=f"the loop file of {name}")
    return text, request


def own_request(described: Mapping[str, JSON]) -> dict[str, JSON]:
    """A request for ``job.request`` from what DescribeTrainingJob gives back: one that a warm pool can be had for."""
    request: dict[str, JSON] = {
        member: value
        for member, value in described.items()
        if value not in ({}, [], None) and member not in REPORTED and member != "EnableManagedSpotTraining"
    }
    resources = as_mapping(request.get("ResourceConfig"))
    request["ResourceConfig"] = {name: value for name, value in resources.items() if name not in _NOT_ASKED}
    algorithm = dict(as_mapping(request.get("AlgorithmSpecification")))
    algorithm.pop("MetricDefinitions", None)
    request["AlgorithmSpecification"] = algorithm
    if stopping := as_mapping(request.get("StoppingCondition")):
        # Only managed spot training has a time that it may wait.
        request["StoppingCondition"] = {n: v for n, v in stopping.items() if n != "MaxWaitTimeInSeconds"}
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
        *_limit_lines(request, region),
    ]
    return "\n".join(lines) + "\n"


def _pool_lines(request: Mapping[str, JSON]) -> list[str]:
    resources, vpc = as_mapping(request["ResourceConfig"]), as_mapping(request.get("VpcConfig"))
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


def _limit_lines(request: Mapping[str, JSON], region: str) -> list[str]:
    """Limits that admit one job of this length: else the file would be refused as soon as it is written."""
    from wpfsm.adapters.aws.prices import built_in_table
    from wpfsm.fsm.costs.limits import worst_case_usd

    resources = as_mapping(request["ResourceConfig"])
    kind, count = str(resources.get("InstanceType")), resources.get("InstanceCount")
    runtime = _max_runtime(request)
    hours = max(_HOURS, math.ceil(2 * runtime / 3600))
    price = built_in_table().price(region, kind)
    worst = (
        worst_case_usd(runtime, _KEEP_ALIVE, price.usd_per_hour, count if isinstance(count, int) else 1)
        if price
        else None
    )
    if worst is None:
        cost = "max_jobs: 6"
        note = "# TODO: max_cost in USD, once pool.price_per_hour or the price list says what an hour costs"
    else:
        cost = f"max_jobs: 6, max_cost: {max(_DOLLARS, math.ceil(worst)):.2f}"
        note = f"# one job costs {usd(worst)} at worst: a lower job.max_runtime admits a lower max_cost"
    return [f"limits: {{{cost}, max_wall: {hours}h, max_failures: 3}}    {note}"]


def _hyperparameters(request: Mapping[str, JSON]) -> str:
    """Those that a loop can change; what the SDK or a tuner keeps for itself stays in the request."""
    as_json = decodes_json(request)
    chosen = {
        name: value
        for name, text in as_mapping(request.get("HyperParameters")).items()
        if not name.startswith(("sagemaker_", "_"))
        and (value := _value(str(text), as_json=as_json)) is not None
    }
    return json.dumps(chosen)


def _value(text: str, *, as_json: bool) -> JSON:
    """A value that is sent as this text again; None for one that a loop file cannot hold, which the request keeps."""
    try:
        value: JSON = json.loads(text)
    except ValueError:
        return None if as_json else text
    if as_json:
        return value if isinstance(value, bool | int | float | str) else None
    # Of a container that reads plain text: 1.10 must not become 1.1, nor TRUE true.
    return value if isinstance(value, bool | int | float) and json.dumps(value) == text else text


def _max_runtime(request: Mapping[str, JSON]) -> int:
    seconds = as_mapping(request.get("StoppingCondition")).get("MaxRuntimeInSeconds")
    return int(seconds) if isinstance(seconds, int | float) else 3600


_OBJECTIVE = "_tuning_objective_metric"
"""The hyperparameter by which a tuner tells its children what they are compared by."""
_VALIDATION = re.compile(r"(?:^|[^a-z])(?:val|valid|validation|eval|test|dev)(?:[^a-z]|$)", re.IGNORECASE)
_HIGHER_IS_BETTER = re.compile(
    r"(?:^|[^a-z])(?:auc|acc|accuracy|f1|f_?beta|precision|recall|map|ndcg|r2|bleu|rouge\w*|score|iou|dice|mrr|reward)"
    r"(?:[^a-z]|$)",
    re.IGNORECASE,
)


def _metric_lines(request: Mapping[str, JSON]) -> list[str]:
    listed = as_mapping(request.get("AlgorithmSpecification")).get("MetricDefinitions")
    definitions = [d for d in listed if isinstance(d, Mapping)] if isinstance(listed, list) else []
    if not definitions:
        return [
            "# metric: {name: eval_loss, goal: minimize, regex: 'eval_loss=([0-9.eE+-]+)'}    # TODO: what to compare"
        ]
    objective = str(as_mapping(request.get("HyperParameters")).get(_OBJECTIVE, "")).strip('"')
    chosen = (
        next((d for d in definitions if d.get("Name") == objective), None)
        or next((d for d in definitions if _VALIDATION.search(str(d.get("Name")))), None)
        or definitions[0]
    )
    name = str(chosen["Name"])
    maximize = bool(_HIGHER_IS_BETTER.search(name))
    goal, other = ("maximize", "minimize") if maximize else ("minimize", "maximize")
    others = [json.dumps(d.get("Name"), ensure_ascii=False) for d in definitions if d is not chosen]
    return [
        "metric:"
        + (f"                     # of the job's; it has {', '.join(others)} too" if others else ""),
        f"  name: {json.dumps(name)}",
        f"  goal: {goal}            # TODO: or {other}",
        f"  regex: {json.dumps(chosen['Regex'])}",
    ]
