"""A job's log in CloudWatch: every line of every instance, each once, from where a reader left off."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aws_wire import Error, Wire

from wpfsm.adapters.aws.clients import Clients
from wpfsm.adapters.aws.logs import CloudWatchLogs
from wpfsm.fsm.errors import ServiceError

STREAMS = {"job-1/algo-1-7": ["a", "c"], "job-1/algo-2-7": ["b"]}


def service(operation: str, request: Mapping[str, Any]) -> object:
    """Two streams; a page ends where its stream does, and the token counts lines."""
    if operation == "DescribeLogStreams":
        assert request["logStreamNamePrefix"] == "job-1/", "job-1 must not match job-10"
        return {"logStreams": [{"logStreamName": name} for name in STREAMS]}
    lines = STREAMS[request["logStreamName"]]
    begin = int(request.get("nextToken", "0"))
    events = [{"timestamp": 1000 * ord(text), "message": text} for text in lines[begin : begin + 1]]
    return {"events": events, "nextForwardToken": str(begin + len(events))}


def reader(answer: Any) -> CloudWatchLogs:
    return CloudWatchLogs(cast("Clients", SimpleNamespace(logs=Wire(answer).client("logs"))))


def test_every_line_is_read_once_and_in_order_of_time() -> None:
    """From page to page by the cursor, until no stream has anything newer."""
    logs, cursor, seen = reader(service), "", []
    for _ in range(9):
        page = logs.read("job-1", cursor)
        seen.append([line.text for line in page.lines])
        cursor = page.cursor
        if page.end:
            break
    assert seen == [["a", "b"], ["c"], []]


def test_times_are_seconds_and_a_line_names_its_instance() -> None:
    """The service counts milliseconds."""
    first, second = reader(service).read("job-1").lines
    assert (first.at, first.stream) == (float(ord("a")), "job-1/algo-1-7")
    assert second.stream == "job-1/algo-2-7"


def test_a_log_that_is_not_there_yet_is_empty() -> None:
    """The group is absent before an account's first job."""
    page = reader(lambda *_: Error("ResourceNotFoundException")).read("job-1")
    assert (page.lines, page.cursor, page.end) == ((), "", True)


def test_a_denied_log_is_an_error_and_not_an_empty_one() -> None:
    """Nothing is concluded from a log that nobody may read."""
    with pytest.raises(ServiceError):
        reader(lambda *_: Error("AccessDeniedException")).read("job-1")
