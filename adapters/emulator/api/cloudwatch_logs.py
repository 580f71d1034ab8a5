"""The CloudWatch Logs operations that read the log group of training jobs.

Every other group, and every other operation, is the fallback's; a list of groups has ours among its.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from wpfsm.adapters.emulator.api.operations import Call, EngineApi, Operation
from wpfsm.adapters.emulator.api.wire import LAST_POSITION, page_position
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.log_store import GROUP, Event
from wpfsm.adapters.emulator.engine.records import Place, Request
from wpfsm.adapters.emulator.runner.base import JSONValue

GROUPS_ON_A_PAGE = 50
OWN_PAGE = "training-jobs"
"""The token behind a page of our group alone, where a page is too short for it and the others."""
MAX_EVENTS = 10_000
MAX_BYTES = 1 << 20
EVENT_OVERHEAD = 26
"""What the service adds to each event's size when it fills a page of 1 MB."""

DEFAULT_STREAMS = 50
END = LAST_POSITION


class CloudWatchApi(EngineApi):
    """Answers CloudWatch Logs operations on the training group.

    Args:
        others: Returns the fallback's answer to a DescribeLogGroups of an account and region.
    """

    def __init__(self, engine: Engine, others: Callable[[Place, Request], Request]) -> None:
        operations: dict[str, Operation] = {
            "DescribeLogGroups": self._groups,
            "DescribeLogStreams": self._in_group(self._streams),
            "GetLogEvents": self._in_group(self._events),
            "FilterLogEvents": self._in_group(self._filter),
        }
        super().__init__(engine, operations)
        self._logs = engine.logs
        self._others = others

    def owns(self, operation: str, request: JSONValue) -> bool:
        """Tell whether a request reads the training group."""
        if operation not in self.operations or not isinstance(request, dict):
            return False
        return operation == "DescribeLogGroups" or GROUP in str(
            request.get("logGroupName") or request.get("logGroupIdentifier") or ""
        )

    def _in_group(self, read: Operation) -> Operation:
        """Refuse what reads the group while it does not exist, which is until a first job has written to it."""

        def checked(call: Call, now: float) -> Request:
            if not self._logs.exists(call.place):
                raise _absent("The specified log group does not exist.")
            return read(call, now)

        return checked

    def _groups(self, call: Call, _: float) -> Request:
        """Return the groups of a page, ours among them: first where there is no room for it beside the others."""
        request = call.request
        if "logGroupNamePrefix" in request and "logGroupNamePattern" in request:
            raise _bad("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.")
        own = (
            [self._own_group(call.place)] if self._logs.exists(call.place) and _asks_for_ours(request) else []
        )
        token = request.get("nextToken")
        if token == OWN_PAGE:
            request, own = {name: value for name, value in request.items() if name != "nextToken"}, []
        answer = self._others(call.place, request)
        pattern = str(request.get("logGroupNamePattern", ""))  # which moto does not look at
        groups = [
            group
            for group in cast("list[Request]", answer["logGroups"])
            if pattern in str(group["logGroupName"])
        ]
        if own and token is None:
            if len(groups) >= cast("int", request.get("limit", GROUPS_ON_A_PAGE)):
                return {"logGroups": cast("JSONValue", own), "nextToken": OWN_PAGE}
            groups = sorted(own + groups, key=lambda group: str(group["logGroupName"]))
        return {**answer, "logGroups": cast("JSONValue", groups)}

    def _own_group(self, place: Place) -> Request:
        account, region = place
        arn = f"arn:aws:logs:{region}:{account}:log-group:{GROUP}"
        return {"logGroupName": GROUP, "arn": f"{arn}:*", "logGroupArn": arn, "storedBytes": 0}

    def _streams(self, call: Call, _: float) -> Request:
        prefix = str(call.request.get("logStreamNamePrefix", ""))
        by_time = call.request.get("orderBy") == "LastEventTime"
        if by_time and prefix:
            raise _bad("Cannot order by LastEventTime with a logStreamNamePrefix.")
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
        raise _bad("The specified nextToken is invalid.")
    return position


def _absent(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def _bad(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def _asks_for_ours(request: Request) -> bool:
    """Tell whether a DescribeLogGroups asks for the training group, by whatever it may choose groups by."""
    identifiers = request.get("logGroupIdentifiers")
    if isinstance(identifiers, list) and not any(GROUP in str(each) for each in identifiers):
        return False
    prefix, pattern = (str(request.get(f"logGroupName{how}", "")) for how in ("Prefix", "Pattern"))
    return (
        GROUP.startswith(prefix)
        and pattern in GROUP
        and request.get("logGroupClass", "STANDARD") == "STANDARD"
    )
