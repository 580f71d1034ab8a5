"""A fake service behind a real boto3 client: requests are validated and serialised, none leaves the process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

Answer = Callable[[str, Mapping[str, Any]], object]
"""Takes an operation and its input; returns the output, or an ``Error``."""


@dataclass(frozen=True)
class Error:
    """An error as the service words it."""

    code: str
    message: str = "no"
    status: int = 400


@dataclass
class Wire:
    """What was asked, and who answers."""

    answer: Answer
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client whose every request ends here. It does not retry."""
        client = boto3.client(
            service,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.meta.events.register("before-send", self._send)
        return client

    def operations(self) -> list[str]:
        """The operations that were asked for, in order."""
        return [operation for operation, _ in self.calls]

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        body = json.loads(request.body or b"{}")
        self.calls.append((operation, body))
        output = self.answer(operation, body)
        if isinstance(output, Error):
            return _response(request, output.status, {"__type": output.code, "message": output.message})
        return _response(request, 200, output)


class _Raw(BytesIO):
    """What urllib3's stream offers of what botocore uses."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


def _response(request: AWSPreparedRequest, status: int, content: object) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(content).encode()))
