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

CONCURRENCY = 50
"""As the template has it; a new account has fewer executions altogether, and names fewer."""
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
    given: Options,
    *,
    name: str,
    role: str | None,
    region: str | None,
    print_template: bool,
    remove: bool,
    concurrency: int | None = None,
) -> int:
    """Create, update or remove the stack.

    Args:
        given: The options of every verb.
        name: Of the stack and its table.
        role: The one training role; that of the stack there is where it is not named.
        region: Where.
        print_template: Only print the template.
        remove: Remove the stack.
        concurrency: Executions that are reserved for the loops.

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
        return _remove(given, clients, name) if remove else _deploy(given, clients, name, role, concurrency)
    except ClientError as error:
        raise _explained(error) from error
    except WaiterError as error:
        raise Refused(
            f"the stack {name} did not come up: {error}",
            fix=f"aws cloudformation describe-stack-events --stack-name {name} says why",
        ) from error
    except BotoCoreError as error:
        raise StoreError(str(error), fix="the same command may be run again") from error


def _deploy(given: Options, clients: Clients, name: str, role: str | None, concurrency: int | None) -> int:
    region = clients.target.region
    stacks = client_of(clients, "cloudformation")
    before = _stack(stacks, name)
    _refuse_unfit(name, before)
    role = role or _parameter(before, "TrainingRole")
    if not role:
        raise UsageError(
            "no training role: the one role that the engine may give to jobs",
            fix="wpfsm deploy --training-role arn:aws:iam::ACCOUNT:role/NAME",
        )
    if before is None:
        _refuse_kept_table(clients, name)
    hint("building the bundle")
    content, digest = bundle.build()
    bucket, key = _upload(clients, content, digest)
    # What was deployed with before stays as it is, where nothing else is asked for.
    kept = {str(p["ParameterKey"]): str(p["ParameterValue"]) for p in (before or {}).get("Parameters", ())}
    parameters = {
        "Concurrency": str(concurrency or kept.get("Concurrency") or CONCURRENCY),
        "CodeBucket": bucket,
        "CodeKey": key,
        "TableName": name,
        "TrainingRole": role,
    }
    hint(f"{'updating' if before else 'creating'} the stack {name}; this takes a few minutes")
    changed = _apply(stacks, name, template(digest), parameters, update=before is not None)
    outputs = {o["OutputKey"]: o["OutputValue"] for o in (_stack(stacks, name) or {}).get("Outputs", ())}
    table = DynamoTable(client_of(clients, "dynamodb"), region, outputs["Table"])
    version = importlib.metadata.version("wpfsm")
    note_deployment(
        table,
        bucket=outputs["Bucket"],
        function=outputs["Function"],
        version=version,
        extras=bundle.extras(),
    )
    document: dict[str, JSON] = {
        "schema": "wpfsm/1",
        "deploy": {
            "stack": name,
            "table": table.name,
            "function": outputs["Function"],
            "bucket": outputs["Bucket"],
            "version": version,
            "extras": list(bundle.extras()),
            "bundle": digest,
            "changed": changed,
        },
    }
    said = "" if changed else "no change\n"
    emit(given, document, f"{said}export WPFSM_DB={table.name}")
    return 0


def _refuse_unfit(name: str, stack: Any | None) -> None:
    """Say why a stack that is there takes no update.

    Raises:
        Refused: Somebody deploys at this moment, or its first deployment failed.
    """
    status = str((stack or {}).get("StackStatus", ""))
    if status.endswith("_IN_PROGRESS"):
        raise Refused(f"the stack {name} is {status}: somebody deploys it", fix="try again in a few minutes")
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        raise Refused(
            f"the stack {name} is {status}, and takes no update",
            fix=f"aws cloudformation describe-stack-events --stack-name {name} says why; "
            f"aws cloudformation delete-stack --stack-name {name}, then deploy again",
        )


def _refuse_kept_table(clients: Clients, name: str) -> None:
    """A table that an earlier stack has left is another stack's no more: CloudFormation would fail half-way.

    Raises:
        Refused: There is one.
    """
    try:
        client_of(clients, "dynamodb").describe_table(TableName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return
        raise
    raise Refused(
        f"there is a table {name} already, which an earlier stack has left with the history of its loops",
        fix=f"--name another; or, where nobody needs the history, aws dynamodb delete-table --table-name {name}",
    )


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
        _wait(stacks, "create", name)
        return True
    try:
        stacks.update_stack(**asked)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise
    _wait(stacks, "update", name)
    return True


def _wait(stacks: Any, what: str, name: str) -> None:
    """Look every 10 s, for an hour at most."""
    waiter = stacks.get_waiter(f"stack_{what}_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 10, "MaxAttempts": 360})


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
    _wait(stacks, "delete", name)
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
