"""`wpfsm deploy`: the shared engine in the user's own account, as one CloudFormation stack."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import os
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.engine import bundle
from wpfsm.adapters.engine.place import client_of, note_deployment
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.fsm.errors import Denied, Refused, StoreError, UsageError, WpfsmError
from wpfsm.fsm.records import JSON
from wpfsm.state.shared.dynamo import DynamoTable, S3Blobs
from wpfsm.state.shared.history import SharedHistory

_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
)


def template(digest: str = "") -> str:
    """The stack's template; each bundle has a version of its own, to which running executions stay bound."""
    text = (
        importlib.resources.files("wpfsm.adapters.engine")
        .joinpath("template.yaml")
        .read_text(encoding="utf-8")
    )
    return text.replace("  Version:\n", f"  Version{digest}:\n").replace(
        "!GetAtt Version.Version", f"!GetAtt Version{digest}.Version"
    )


def deploy(
    given: Options, *, name: str, role: str | None, region: str | None, print_template: bool, remove: bool
) -> int:
    """Create, update or remove the stack.

    Raises:
        Refused: A loop is open or owed, and the engine was to be removed; or the stack did not come up.
        Denied: The credentials may not do it.
        UsageError: No training role was named for a new stack.
    """
    if print_template:
        emit(Options("human", given.database), {}, template().rstrip())
        return 0
    clients = Clients(
        Target(
            region or os.environ.get("AWS_REGION") or "us-east-1",
            given.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", ""),
        )
    )
    try:
        return _remove(given, clients, name) if remove else _deploy(given, clients, name, role)
    except ClientError as error:
        raise _explained(error) from error
    except WaiterError as error:
        raise Refused(
            f"the stack {name} did not come up: {error}",
            fix=f"aws cloudformation describe-stack-events --stack-name {name} says why",
        ) from error
    except BotoCoreError as error:
        raise StoreError(str(error), fix="the same command may be run again") from error


def _deploy(given: Options, clients: Clients, name: str, role: str | None) -> int:
    region = clients.target.region
    stacks = client_of(clients, "cloudformation")
    before = _stack(stacks, name)
    role = role or _parameter(before, "TrainingRole")
    if not role:
        raise UsageError(
            "no training role: the one role that the engine may give to jobs",
            fix="wpfsm deploy --training-role arn:aws:iam::ACCOUNT:role/NAME",
        )
    hint("building the bundle")
    content, digest = bundle.build()
    bucket, key = _upload(clients, content, digest)
    parameters = {"CodeBucket": bucket, "CodeKey": key, "TableName": name, "TrainingRole": role}
    hint(f"{'updating' if before else 'creating'} the stack {name}; this takes a few minutes")
    changed = _apply(stacks, name, template(digest), parameters, update=before is not None)
    outputs = {o["OutputKey"]: o["OutputValue"] for o in (_stack(stacks, name) or {}).get("Outputs", ())}
    table = DynamoTable(client_of(clients, "dynamodb"), region, outputs["Table"])
    version = importlib.metadata.version("wpfsm")
    note_deployment(table, bucket=outputs["Bucket"], function=outputs["Function"], version=version)
    document: dict[str, JSON] = {
        "schema": "wpfsm/1",
        "deploy": {
            "stack": name,
            "table": table.name,
            "function": outputs["Function"],
            "bucket": outputs["Bucket"],
            "version": version,
            "bundle": digest,
            "changed": changed,
        },
    }
    said = "" if changed else "no change\n"
    emit(given, document, f"{said}export WPFSM_DB={table.name}")
    return 0


def _apply(stacks: Any, name: str, text: str, parameters: Mapping[str, str], *, update: bool) -> bool:
    """Create or update the stack and wait for it; False when there was nothing to update."""
    asked = {
        "StackName": name,
        "TemplateBody": text,
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    }
    if not update:
        stacks.create_stack(**asked)
        stacks.get_waiter("stack_create_complete").wait(StackName=name)
        return True
    try:
        stacks.update_stack(**asked)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise
    stacks.get_waiter("stack_update_complete").wait(StackName=name)
    return True


def _remove(given: Options, clients: Clients, name: str) -> int:
    stacks = client_of(clients, "cloudformation")
    stack = _stack(stacks, name)
    if stack is None:
        raise Refused(f"there is no stack {name}", fix="--name names another")
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}
    table = DynamoTable(client_of(clients, "dynamodb"), clients.target.region, outputs["Table"])
    history = SharedHistory(table, S3Blobs(client_of(clients, "s3"), outputs["Bucket"]))
    keeps = sorted({*(loop.id for loop in history.unfinished()), *(o.loop_id for o in history.owed())})
    if keeps:
        raise Refused(
            f"{table.name} has {len(keeps)} loop(s) open or owed: {', '.join(keeps[:5])}",
            fix=f"wpfsm stop {keeps[0]}",
        )
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name)
    kept = f"the table {outputs['Table']} and the bucket {outputs['Bucket']} stay, with every loop's history"
    emit(
        given,
        {"schema": "wpfsm/1", "deploy": {"stack": name, "removed": True, "kept": kept}},
        f"removed; {kept}",
    )
    return 0


def _upload(clients: Clients, content: bytes, digest: str) -> tuple[str, str]:
    s3 = client_of(clients, "s3")
    region, account = clients.target.region, clients.sts.get_caller_identity()["Account"]
    bucket, key = f"wpfsm-deploy-{account}-{region}", f"bundle-{digest}.zip"
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)
    s3.put_object(Bucket=bucket, Key=key, Body=content, ExpectedBucketOwner=account)
    return bucket, key


def _stack(stacks: Any, name: str) -> Any | None:
    try:
        return stacks.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _parameter(stack: Any | None, name: str) -> str:
    given = (stack or {}).get("Parameters", ())
    return next((str(p["ParameterValue"]) for p in given if p["ParameterKey"] == name), "")


def _explained(error: ClientError) -> WpfsmError:
    code = error.response["Error"]["Code"]
    if code in _DENIED:
        return Denied(str(error), fix="docs/team.md lists what deploying needs")
    return StoreError(str(error), fix="the same command may be run again")
