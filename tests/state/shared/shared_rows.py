"""A shared table for the tests: DynamoDB and S3 as moto answers them, in this process."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import boto3
from moto import mock_aws
from state_rows import LOOP, owner

from wpfsm.state.shared.dynamo import DynamoTable, S3Blobs, definition
from wpfsm.state.shared.loops import create_loop, take_over
from wpfsm.state.shared.store import SharedStore
from wpfsm.state.shared.table import Blobs, Table

REGION, TABLE, BUCKET = "us-east-1", "wpfsm", "wpfsm-bucket"


@contextlib.contextmanager
def shared() -> Iterator[tuple[DynamoTable, S3Blobs]]:
    """An empty table and bucket; gone afterwards."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    with mock_aws():
        dynamo: Any = boto3.client("dynamodb", **keys)
        s3: Any = boto3.client("s3", **keys)
        dynamo.create_table(**definition(TABLE))
        s3.create_bucket(Bucket=BUCKET)
        yield DynamoTable(dynamo, REGION, TABLE), S3Blobs(s3, BUCKET)


@contextlib.contextmanager
def owned() -> Iterator[tuple[DynamoTable, S3Blobs, SharedStore]]:
    """A table with one loop and its owner."""
    with shared() as (table, blobs):
        create_loop(table, blobs, LOOP, "from a file")
        yield table, blobs, again(table, blobs, host="here")


def again(table: Table, blobs: Blobs, *, at: float = 100.0, host: str = "there", forget_stop: bool = False
          ) -> SharedStore:  # fmt: skip
    """The next owner of the loop."""
    epoch = take_over(table, blobs, LOOP.id, owner(host, at), forget_stop=forget_stop)
    return SharedStore(table, blobs, LOOP.id, epoch)


@contextlib.contextmanager
def lanes() -> Iterator[tuple[DynamoTable, SharedStore, SharedStore]]:
    """A table with a group of two lanes and their owners."""
    first = dataclasses.replace(LOOP, lane=1)
    second = dataclasses.replace(LOOP, id=f"{LOOP.id}-l2", lane=2, lane_of=LOOP.id)
    with shared() as (table, blobs):
        create_loop(table, blobs, first, "from a file", siblings=[second])
        stores = [
            SharedStore(table, blobs, each.id, take_over(table, blobs, each.id, owner()))
            for each in (first, second)
        ]
        yield table, stores[0], stores[1]
