"""A botocore client and a WSGI application in one process, without a socket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from wpfsm.adapters.emulator.engine.errors import ConnectionCut
from wpfsm.adapters.emulator.wsgi_transport import ACCOUNT_HEADER, account_session, client_session


class Echo:
    """An application that keeps what it was asked and answers with the body that it was given."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append({**environ, "body": environ["wsgi.input"].read()})
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"he", b"llo"] if environ["REQUEST_METHOD"] == "GET" else []


def test_a_request_arrives_whole_and_its_answer_comes_back() -> None:
    """Method, path, query, headers and body; an answer in parts is one."""
    echo = Echo()
    s3 = client_session(echo, "eu-west-1").client("s3")  # type: ignore[arg-type]
    assert s3.get_object(Bucket="bucket", Key="a b/ü", VersionId="1")["Body"].read() == b"hello"
    s3.put_object(Bucket="bucket", Key="k", Body=b"\x00content")
    got, put = echo.asked
    assert (got["REQUEST_METHOD"], got["QUERY_STRING"]) == ("GET", "versionId=1")
    assert got["PATH_INFO"].endswith("/a b/ü")
    assert put["REQUEST_METHOD"] == "PUT"
    assert b"\x00content" in put["body"]
    assert "eu-west-1" in put["HTTP_AUTHORIZATION"]


def test_a_cut_connection_is_one_for_the_client() -> None:
    """The client raises what it raises when a socket is cut, and knows nothing of the outcome."""

    def cut(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise ConnectionCut(written=True)

    config = Config(retries={"total_max_attempts": 1})
    s3 = client_session(cut, "us-east-1").client("s3", config=config)
    with pytest.raises(ReadTimeoutError):
        s3.list_buckets()


def test_a_session_can_ask_as_another_account() -> None:
    """The fallback is told in a header whose objects are meant."""
    echo = Echo()
    s3 = account_session(echo, "210987654321", "us-east-1").client("s3")  # type: ignore[arg-type]
    s3.get_object(Bucket="bucket", Key="k")
    assert echo.asked[0][ACCOUNT_HEADER] == "210987654321"
