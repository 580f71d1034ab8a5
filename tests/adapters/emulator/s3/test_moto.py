"""The fallback as one application: what several clients do at the same moment."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from emulator_stage import Stage


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns after every few instructions, so that what can go wrong between them does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_two_writers_and_a_reader_share_a_table(stage: Stage) -> None:
    """The DynamoDB of moto is not made for threads: its requests are answered one after another."""
    client = stage.client("dynamodb", account="333344445555")
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    failed: list[Exception] = []

    def work(step: Any) -> None:
        try:
            for number in range(60):
                step(number)
        except Exception as error:
            failed.append(error)

    def put(who: str) -> Any:
        def write(number: int) -> None:
            items = [{"pk": {"S": f"{who}{number}-{i}"}} for i in range(2)]
            client.transact_write_items(
                TransactItems=[{"Put": {"TableName": "t", "Item": item}} for item in items]
            )

        return write

    steps = [put("a"), put("b"), lambda _: client.scan(TableName="t")]
    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert client.scan(TableName="t")["Count"] == 240


def test_a_stack_is_created(stage: Stage) -> None:
    """CloudFormation is served with what comes with the extra: a template's table is there."""
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "of-a-stack",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        },
    }
    cloudformation = stage.client("cloudformation", account="333344445555")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": {"Table": table}}))
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    tables = stage.client("dynamodb", account="333344445555").list_tables()["TableNames"]
    assert "of-a-stack" in tables
