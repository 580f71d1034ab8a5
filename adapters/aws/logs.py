"""The log of a training job in CloudWatch Logs.

Group ``/aws/sagemaker/TrainingJobs``, one stream an instance, ``<job>/algo-<n>-<epoch>``. The group is absent
before an account's first job and the stream until the container starts: neither is an error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wpfsm.adapters.aws.errors import translated, understood
from wpfsm.fsm.errors import Rejected
from wpfsm.fsm.ports import LogLine, LogPage

if TYPE_CHECKING:
    from wpfsm.adapters.aws.clients import Clients

GROUP = "/aws/sagemaker/TrainingJobs"
_KNOWN = frozenset({"ResourceNotFoundException"})


class CloudWatchLogs:
    """Reads every stream of a job from where a cursor left off."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, job_name: str, cursor: str = "") -> LogPage:
        """New lines of all instances, by time.

        The cursor holds each stream's forward token. A stream has nothing newer when the service gives the
        same token back (CloudWatch Logs API reference, GetLogEvents).
        """
        tokens: dict[str, str] = json.loads(cursor) if cursor else {}
        streams = sorted(tokens) if tokens else self._streams(job_name)
        lines: list[LogLine] = []
        end = True
        for stream in streams:
            before = tokens.get(stream, "")
            fresh, after = self._page(stream, before)
            lines += fresh
            tokens[stream] = after
            end = end and (not fresh or after == before)
        lines.sort(key=lambda line: line.at)
        return LogPage(tuple(lines), json.dumps(tokens) if tokens else "", end)

    def _streams(self, job_name: str) -> list[str]:
        # The slash keeps job-1 from matching job-10.
        try:
            with translated("DescribeLogStreams", _KNOWN):
                answer = self._clients.logs.describe_log_streams(
                    logGroupName=GROUP, logStreamNamePrefix=f"{job_name}/"
                )
        except Rejected as error:
            if error.code == "ResourceNotFoundException":
                return []
            raise
        with understood("DescribeLogStreams"):
            return sorted(
                stream["logStreamName"]
                for stream in answer.get("logStreams", [])
                if "logStreamName" in stream
            )

    def _page(self, stream: str, token: str) -> tuple[list[LogLine], str]:
        arguments: dict[str, Any] = {"logGroupName": GROUP, "logStreamName": stream, "startFromHead": True}
        if token:
            arguments["nextToken"] = token
        try:
            with translated("GetLogEvents", _KNOWN):
                answer = self._clients.logs.get_log_events(**arguments)
        except Rejected as error:
            if error.code == "ResourceNotFoundException":
                return [], token
            raise
        with understood("GetLogEvents"):
            lines = [
                LogLine(
                    at=event.get("timestamp", 0) / 1000, stream=stream, text=str(event.get("message") or "")
                )
                for event in answer.get("events", [])
            ]
            return lines, answer.get("nextForwardToken") or token
