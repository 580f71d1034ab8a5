"""The table in DynamoDB and the large objects in S3."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from wpfsm.fsm.errors import Denied, NotFound, StoreError, WpfsmError
from wpfsm.state.shared.table import Item, Update, Value

T = TypeVar("T")
_CONFLICT = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")
"""Reasons for which a transaction is cancelled that say nothing about its conditions."""
_DENIED = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "ExpiredToken",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "InvalidAccessKeyId",
    }
)
_TRIES = 8
INDEXES: Mapping[str, tuple[str, str]] = {
    "listed": ("created_at", "N"),
    "unfinished": ("due", "N"),
    "owed": ("sk", "S"),
}
"""The attribute that an index is named after and made of, and the one that orders it, with its type."""
_SHOWN = (
    "name",
    "state",
    "outcome",
    "why",
    "backend",
    "created_at",
    "updated_at",
    "jobs",
    "handoff",
    "unfinished",
    "look_at",
    "generation",
    "heartbeat",
)


def definition(table: str) -> dict[str, Any]:
    """The members of CreateTable: a table that costs what is used of it."""
    kinds = {"pk": "S", "sk": "S", **dict.fromkeys(INDEXES, "S"), **dict(INDEXES.values())}
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": kind} for n, kind in sorted(kinds.items())
        ],
        "KeySchema": _keys("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": _keys(name, order),
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": [n for n in _SHOWN if n not in (name, order)],
                }
                if name == "listed"
                else {"ProjectionType": "KEYS_ONLY"},
            }
            for name, (order, _) in INDEXES.items()
        ],
    }


def _keys(first: str, second: str) -> list[dict[str, str]]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


class DynamoTable:
    """Implements :class:`wpfsm.state.shared.table.Table`.

    Args:
        client: A boto3 client of DynamoDB that tries again by itself.
        region: For the name.
        table: The table's name.
    """

    def __init__(self, client: Any, region: str, table: str) -> None:
        self._client = client
        self._table = table
        self.region = region

    @property
    def name(self) -> str:
        """As ``WPFSM_DB`` names it."""
        return f"dynamodb://{self.region}/{self._table}"

    def get(self, pk: str, sk: str) -> Item | None:
        """One item, read after every write before."""
        answer = self._call("get_item", Key=_key(pk, sk), ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def query(self, pk: str, prefix: str = "", *, after: str = "") -> Iterator[Item]:
        """Items of a partition, by their key."""
        yield from self._pages(**_partition(pk, prefix, after), ConsistentRead=True)

    def last(self, pk: str, prefix: str) -> Item | None:
        """The item with the greatest key."""
        asked = _partition(pk, prefix, "")
        return next(self._pages(**asked, ConsistentRead=True, ScanIndexForward=False, Limit=1), None)

    def indexed(self, index: str, value: str, *, newest_first: bool = False) -> Iterator[Item]:
        """Items of an index."""
        yield from self._pages(
            IndexName=index,
            KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": index},
            ExpressionAttributeValues={":v": _attribute(value)},
            ScanIndexForward=not newest_first,
        )

    def put(self, item: Item) -> None:
        """Write a whole item."""
        self._call("put_item", Item=_attributes(item))

    def delete(self, pk: str, sk: str) -> None:
        """Remove an item."""
        self._call("delete_item", Key=_key(pk, sk))

    def update(self, update: Update) -> Item | None:
        """Change one item under its condition."""
        try:
            answer = self._call("update_item", **_expressions(update), ReturnValues="ALL_NEW")
        except _Refused:
            return None
        return _item(answer["Attributes"])

    def count(self, pk: str, sk: str, counter: str) -> Item:
        """Raise a counter by one."""
        answer = self._call(
            "update_item",
            Key=_key(pk, sk),
            UpdateExpression="ADD #c :one",
            ReturnValues="ALL_NEW",
            ExpressionAttributeNames={"#c": counter},
            ExpressionAttributeValues={":one": _attribute(1)},
        )
        return _item(answer["Attributes"])

    def transact(self, updates: Sequence[Update], puts: Sequence[Item], token: str) -> bool:
        """All of it or nothing."""
        changed = [{"Update": {"TableName": self._table, **_expressions(update)}} for update in updates]
        written = [{"Put": {"TableName": self._table, "Item": _attributes(item)}} for item in puts]
        try:
            self._call("transact_write_items", TransactItems=[*changed, *written], ClientRequestToken=token)
        except _Refused:
            return False
        return True

    def _pages(self, **asked: Any) -> Iterator[Item]:
        while True:
            page = self._call("query", **asked)
            yield from map(_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, operation: str, **members: Any) -> Any:
        if operation != "transact_write_items":
            members["TableName"] = self._table
        return _patiently(self.name, lambda: getattr(self._client, operation)(**members))


class S3Blobs:
    """Implements :class:`wpfsm.state.shared.table.Blobs`.

    Args:
        client: A boto3 client of S3 that tries again by itself.
        bucket: The bucket.
        prefix: What every key begins with.
    """

    def __init__(self, client: Any, bucket: str, prefix: str = "wpfsm/") -> None:
        self._client = client
        self.bucket = bucket
        self._prefix = prefix

    def put(self, name: str, content: bytes) -> None:
        """Write a whole object."""
        self._call("put_object", Key=self._prefix + name, Body=content)

    def get(self, name: str) -> bytes | None:
        """Read an object."""
        try:
            answer = self._call("get_object", Key=self._prefix + name)
        except NotFound:
            return None
        content: bytes = answer["Body"].read()
        return content

    def has(self, name: str) -> bool:
        """Whether there is an object."""
        try:
            self._call("head_object", Key=self._prefix + name)
        except NotFound:
            return False
        return True

    def delete(self, name: str) -> None:
        """Remove an object."""
        self._call("delete_object", Key=self._prefix + name)

    def _call(self, operation: str, **members: Any) -> Any:
        where = f"s3://{self.bucket}"
        return _patiently(where, lambda: getattr(self._client, operation)(Bucket=self.bucket, **members))


class _Refused(Exception):
    """The condition did not hold; nothing was written."""


def _patiently(where: str, call: Callable[[], T]) -> T:
    """Make a call; a transaction that met another one is sent again, with the same token.

    Raises:
        _Refused: A condition did not hold.
    """
    for attempt in range(_TRIES):
        try:
            return call()
        except ClientError as error:
            if _is_refused(error):
                raise _Refused from error
            if attempt == _TRIES - 1 or not _is_conflict(error):
                raise _explained(where, error) from error
        except BotoCoreError as error:
            raise StoreError(
                f"{where}: {error}", fix="the same command may be run again; what was committed stands"
            ) from error
        time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")


def _reasons(error: ClientError) -> list[str]:
    given: Any = error.response.get("CancellationReasons") or []
    return [str(reason.get("Code") or "None") for reason in given]


def _is_refused(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return True
    return code == "TransactionCanceledException" and "ConditionalCheckFailed" in _reasons(error)


def _is_conflict(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code in ("TransactionInProgressException", "TransactionConflictException"):
        return True
    return code == "TransactionCanceledException" and any(reason in _CONFLICT for reason in _reasons(error))


def _explained(where: str, error: ClientError) -> WpfsmError:
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _DENIED:
        return Denied(f"{where}: {code}: {text}", fix="wpfsm doctor says which permission is missing")
    if code in ("ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "404"):
        return NotFound(
            f"{where} does not exist ({code})", fix="wpfsm deploy makes it; WPFSM_DB or --db names another"
        )
    return StoreError(
        f"{where}: {code}: {text}", fix="the same command may be run again; what was committed stands"
    )


def _partition(pk: str, prefix: str, after: str) -> dict[str, Any]:
    values: dict[str, Any] = {":p": _attribute(pk)}
    condition = "pk = :p"
    if after:
        condition += " and sk between :a and :z"
        # The end of the prefix's range: no key of ours has a character beyond this one.
        values |= {":a": _attribute(after + "\x01"), ":z": _attribute(prefix + "\uffff")}
    elif prefix:
        condition += " and begins_with(sk, :s)"
        values[":s"] = _attribute(prefix)
    return {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}


def _expressions(update: Update) -> dict[str, Any]:
    names = {f"#{n}": name for n, name in enumerate({**update.values, **update.where})}
    alias = {name: key for key, name in names.items()}
    values: dict[str, Any] = {}
    for side, given in (("v", update.values), ("w", update.where)):
        values |= {f":{side}{alias[name][1:]}": _attribute(v) for name, v in given.items() if v is not None}
    sets = [f"{alias[name]} = :v{alias[name][1:]}" for name, v in update.values.items() if v is not None]
    removes = [alias[name] for name, v in update.values.items() if v is None]
    conditions = [
        f"attribute_not_exists({alias[name]})" if v is None else f"{alias[name]} = :w{alias[name][1:]}"
        for name, v in update.where.items()
    ]
    asked: dict[str, Any] = {
        "Key": _key(update.pk, update.sk),
        "UpdateExpression": " ".join(
            [
                *(["SET " + ", ".join(sets)] if sets else []),
                *(["REMOVE " + ", ".join(removes)] if removes else []),
            ]
        ),
        "ExpressionAttributeNames": names,
    }
    if values:
        asked["ExpressionAttributeValues"] = values
    if conditions:
        asked["ConditionExpression"] = " and ".join(conditions)
    return asked


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _attributes(item: Item) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in item.items()}


def _attribute(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": str(value)} if isinstance(value, str) else {"N": repr(value)}


def _item(attributes: Mapping[str, Any]) -> dict[str, Value]:
    return {name: _value(attribute) for name, attribute in attributes.items()}


def _value(attribute: Mapping[str, Any]) -> Value:
    ((kind, value),) = attribute.items()
    if kind != "N":
        return bool(value) if kind == "BOOL" else str(value)
    with contextlib.suppress(ValueError):
        return int(value)
    return float(value)
