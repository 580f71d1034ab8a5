"""The CloudWatch Logs operations that read the log group of training jobs.

Every other group, and every other operation, is the fallback's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from wpfsm.adapters.emulator.api.training import Call
from wpfsm.adapters.emulator.api.wire import LAST_POSITION, page_position
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.log_store import GROUP, Event
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.runner.base import JSONValue

OWN_PREFIX = "/aws/sagemaker/"
MAX_EVENTS = 10_000
MAX_BYTES = 1 << 20
EVENT_OVERHEAD = 26
"""What the service adds to each event's size when it fills a page of 1 MB."""

DEFAULT_STREAMS = 50
END = LAST_POSITION


class CloudWatchApi:
    """Answers CloudWatch Logs operations on the training group."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._logs = engine.logs
        self.operations: dict[str, Callable[[Call, float], Request]] = {
            "DescribeLogGroups": self._groups,
            "DescribeLogStreams": self._streams,
            "GetLogEvents": self._events,
            "FilterLogEvents": self._filter,
        }

    def owns(self, operation: str, request: JSONValue) -> bool:
        """Tell whether a request reads the training group."""
        if operation not in self.operations or not isinstance(request, dict):
            return False
        if operation == "DescribeLogGroups":
            return str(request.get("logGroupNamePrefix", "")).startswith(OWN_PREFIX)
        return GROUP in str(request.get("logGroupName") or request.get("logGroupIdentifier") or "")

    def answer(self, call: Call) -> Request:
        """Carry out a call.

        Raises:
            ServiceError: What the service answers instead.
        """
        with self._engine.transaction() as now:
            if call.operation != "DescribeLogGroups" and not self._logs.exists(call.place):
                raise _absent("The specified log group does not exist.")
            return self.operations[call.operation](call, now)

    def _groups(self, call: Call, _: float) -> Request:
        account, region = call.place
        known = self._logs.exists(call.place) and GROUP.startswith(str(call.request["logGroupNamePrefix"]))
        arn = f"arn:aws:logs:{region}:{account}:log-group:{GROUP}"
        group: Request = {"logGroupName": GROUP, "arn": f"{arn}:*", "logGroupArn": arn, "storedBytes": 0}
        return {"logGroups": [group] if known else []}

    def _streams(self, call: Call, _: float) -> Request:
        prefix = str(call.request.get("logStreamNamePrefix", ""))
        by_time = call.request.get("orderBy") == "LastEventTime"
        if by_time and prefix:
            raise ServiceError(
                "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
            )
        streams = self._logs.streams(call.place, prefix)
        if by_time:
            streams.sort(key=lambda stream: stream.last)
        if call.request.get("descending"):
            streams.reverse()
        start = _number(call.request.get("nextToken", "0"))
        size = cast("int", call.request.get("limit", DEFAULT_STREAMS))
        account, region = call.place
        shown: list[JSONValue] = [
            {
                "logStreamName": each.name,
                "creationTime": each.first,
                "firstEventTimestamp": each.first,
                "lastEventTimestamp": each.last,
                "lastIngestionTime": each.ingested,
                "uploadSequenceToken": "0",
                "arn": f"arn:aws:logs:{region}:{account}:log-group:{GROUP}:log-stream:{each.name}",
                "storedBytes": 0,
            }
            for each in streams[start : start + size]
        ]
        answer: Request = {"logStreams": shown}
        if start + size < len(streams):
            answer["nextToken"] = str(start + size)
        return answer

    def _events(self, call: Call, _: float) -> Request:
        """Page through a stream; a token is a direction and a position between two lines."""
        request = call.request
        stream = self._logs.stream(call.place, str(request["logStreamName"]))
        if stream is None:
            raise _absent("The specified log stream does not exist.")
        token = str(request.get("nextToken", ""))
        forward = token.startswith("f/") if token else bool(request.get("startFromHead"))
        position = _number(token[2:]) if token else (0 if forward else stream.lines)
        limit = cast("int", request.get("limit", MAX_EVENTS))
        after, before = (position - 1, END) if forward else (-1, position)
        found = self._logs.events(stream, after, before, newest=not forward, limit=limit)
        found = _fit(found, newest=not forward)
        first = found[0].number if found else position
        last = found[-1].number + 1 if found else position
        shown: list[JSONValue] = [
            {"timestamp": e.time, "message": e.message, "ingestionTime": e.ingested}
            for e in found
            if _within(e, request)
        ]
        return {
            "events": shown,
            "nextForwardToken": f"f/{last:056d}",
            "nextBackwardToken": f"b/{first:056d}",
        }

    def _filter(self, call: Call, _: float) -> Request:
        request = call.request
        names = request.get("logStreamNames")
        prefix = str(request.get("logStreamNamePrefix", ""))
        known = self._logs.streams(call.place, prefix)
        chosen = [each for each in known if not isinstance(names, list) or each.name in names]
        words = str(request.get("filterPattern", "")).replace('"', " ").split()
        found = [
            e
            for e in self._logs.search(chosen)
            if _within(e, request) and all(word in e.message for word in words)
        ]
        start = _number(request.get("nextToken", "0"))
        size = cast("int", request.get("limit", MAX_EVENTS))
        answer: Request = {
            "events": [
                {
                    "logStreamName": e.stream,
                    "timestamp": e.time,
                    "message": e.message,
                    "ingestionTime": e.ingested,
                    "eventId": f"{e.time:020d}{e.number:036d}",
                }
                for e in found[start : start + size]
            ],
            "searchedLogStreams": [],
        }
        if start + size < len(found):
            answer["nextToken"] = str(start + size)
        return answer


def _within(event: Event, request: Request) -> bool:
    begin = cast("int", request.get("startTime", 0))
    end = cast("int", request.get("endTime", END))
    return begin <= event.time < end


def _fit(events: list[Event], *, newest: bool) -> list[Event]:
    """Cut a page at 1 MB, at its far end."""
    size = 0
    kept: list[Event] = []
    for event in reversed(events) if newest else events:
        size += len(event.message.encode()) + EVENT_OVERHEAD
        if size > MAX_BYTES and kept:
            break
        kept.append(event)
    return kept[::-1] if newest else kept


def _number(token: JSONValue) -> int:
    position = page_position(str(token))
    if position is None:
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return position


def _absent(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)
