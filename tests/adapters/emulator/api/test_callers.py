"""Only the user who runs the emulator may use it: it runs code as that user."""

from __future__ import annotations

import http.client
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from emulator_process import Process, emulator_process, until
from emulator_requests import training_job

from wpfsm.adapters.emulator.api.callers import TOKEN_VARIABLE, SameUser, can_tell_users, peer_user
from wpfsm.adapters.emulator.launch import find

NOBODY = 65534
as_root = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can become another user, to call the emulator as that user"
)
tells_users = pytest.mark.skipif(
    not can_tell_users(), reason="this system does not say whose process is at the other end of a connection"
)
CREATE = """
import encodings.idna, os, socket, sys  # while the files of Python can still be read
from urllib.parse import urlsplit
os.setgroups([]); os.setgid(65534); os.setuid(65534)
place, body = urlsplit(sys.argv[1]), sys.argv[2].encode()
with socket.create_connection((place.hostname, place.port)) as connection:
    head = f"POST / HTTP/1.1\\r\\nHost: {place.netloc}\\r\\nX-Amz-Target: SageMaker.CreateTrainingJob\\r\\n"
    head += f"Connection: close\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
    connection.sendall(head.encode() + body)
    while chunk := connection.recv(65536):
        print(chunk.decode(), end="")
"""


@as_root
@tells_users
def test_a_job_of_another_user_is_refused(tmp_path: Path) -> None:
    """A process of another user, on the same machine, with a request that is right otherwise: no job, a sentence."""
    with emulator_process(tmp_path / "state") as process:
        told = subprocess.run(
            [sys.executable, "-I", "-c", CREATE, process.url, '{"TrainingJobName": "x"}'],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            timeout=60,
        )
        assert told.stdout.startswith("HTTP/1.1 403")
        assert "AccessDeniedException" in told.stdout
        assert f"does not answer user {NOBODY}" in told.stdout
        assert process.get("records")["jobs"] == []


@tells_users
def test_the_kernel_tells_whose_connection_it_is() -> None:
    """The table has this process's own socket; one that was closed belongs to nobody, not to root."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = server.getsockname()
        client = socket.create_connection(own)
        address = client.getsockname()
        connection, _ = server.accept()
        assert peer_user(address, own) == os.getuid()
        client.close()
        assert peer_user(address, own) is None
        connection.close()


def test_whoever_is_not_known_is_refused() -> None:
    """Where the system does not say who calls, nobody is admitted by accident."""
    refusal = SameUser(os.getuid()).refusal({}, lambda _: False)
    assert refusal is not None
    assert "an unknown user" in refusal


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator that asks for its token, as one that listens beyond loopback does."""
    with emulator_process(tmp_path / "state", "--host", "0.0.0.0", "--cold-start", "0") as process:
        yield process


def session(process: Process, token: str | None) -> boto3.Session:
    return boto3.Session("123456789012", "none", token, region_name="us-east-1")


def test_a_token_opens_what_is_closed_without(guarded: Process) -> None:
    """AWS clients find the token in the state directory's credentials file, which only this user can read."""
    credentials = guarded.state / "credentials"
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    endpoint = find(guarded.state)
    assert endpoint is not None
    assert endpoint.token in credentials.read_text()

    for token in (None, "wrong"):
        with pytest.raises(ClientError, match="asks for its token"):
            session(guarded, token).client("sagemaker", endpoint_url=guarded.url).list_training_jobs()
    s3 = session(guarded, endpoint.token).client("s3", endpoint_url=guarded.url)
    s3.create_bucket(Bucket="bucket")
    with pytest.raises(ClientError, match="AccessDenied"):
        session(guarded, None).client("s3", endpoint_url=guarded.url).list_buckets()
    s3.put_object(Bucket="bucket", Key="k", Body=b"x")
    place = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"}))
    connection = http.client.HTTPConnection(place.netloc)
    connection.request("GET", f"{place.path}?{place.query}")
    assert connection.getresponse().read() == b"x"
    connection.close()


def test_what_is_given_to_a_caller_opens_too(guarded: Process) -> None:
    """Credentials that STS gave carry a session token of their own."""
    endpoint = find(guarded.state)
    assert endpoint is not None
    sts = session(guarded, endpoint.token).client("sts", endpoint_url=guarded.url)
    role = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/Train", RoleSessionName="session")
    given = session(guarded, role["Credentials"]["SessionToken"])
    assert (
        given.client("sagemaker", endpoint_url=guarded.url).list_training_jobs()["TrainingJobSummaries"] == []
    )


def test_a_job_of_a_guarded_emulator_knows_the_token(guarded: Process) -> None:
    """What the job's own AWS clients need is in its environment."""
    endpoint = find(guarded.state)
    assert endpoint is not None
    sagemaker = session(guarded, endpoint.token).client("sagemaker", endpoint_url=guarded.url)
    entry = {
        "ContainerEntrypoint": ["/bin/sh", "-c", 'test "$AWS_SESSION_TOKEN" && test "$AWS_ENDPOINT_URL"']
    }
    session(guarded, endpoint.token).client("s3", endpoint_url=guarded.url).create_bucket(Bucket="output")
    sagemaker.create_training_job(**training_job("j", algorithm=entry))
    until(
        lambda answer: answer["TrainingJobStatus"] == "Completed",
        lambda: sagemaker.describe_training_job(TrainingJobName="j"),
    )


def test_a_token_of_one_s_own_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container is told its token by a variable, and then asks for it on loopback as well."""
    monkeypatch.setenv(TOKEN_VARIABLE, "sesame")
    with emulator_process(tmp_path / "state", environment={TOKEN_VARIABLE: "sesame"}) as process:
        client = session(process, "sesame").client("sagemaker", endpoint_url=process.url)
        assert client.list_training_jobs()["TrainingJobSummaries"] == []
        with pytest.raises(ClientError, match="AccessDenied"):
            session(process, None).client("sagemaker", endpoint_url=process.url).list_training_jobs()


def test_a_state_directory_is_private(tmp_path: Path) -> None:
    """Directories that the emulator makes are closed to others, and so is one that it finds open."""
    (tmp_path / "state").mkdir(mode=0o755)
    with emulator_process(tmp_path / "state", "--cold-start", "0") as process:
        process.client("s3").create_bucket(Bucket="output")
        script = ["/bin/sh", "-c", "touch /opt/ml/model/w; stat -c %a /opt/ml/model/w"]
        process.client("sagemaker").create_training_job(
            **training_job("j", algorithm={"ContainerEntrypoint": script})
        )
        until(
            lambda answer: answer["TrainingJobStatus"] == "Completed",
            lambda: process.client("sagemaker").describe_training_job(TrainingJobName="j"),
        )
        for path in (process.state, *(each for each in process.state.iterdir() if each.is_dir())):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        events = process.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs")[
            "events"
        ]
        assert [event["message"] for event in events] == ["644"]  # the job's own files have the usual mask


def test_a_directory_of_others_keeps_its_mode(tmp_path: Path) -> None:
    """A state directory that holds something else is not closed to those who work in it."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "theirs").write_text("")
    (tmp_path / "shared").chmod(0o755)
    with emulator_process(tmp_path / "shared") as process:
        assert stat.S_IMODE(process.state.stat().st_mode) == 0o755
