"""A fixture for anybody's tests: ``sagemaker_emulator``, a SageMaker endpoint of one's own.

One process serves a whole test session; each test has an account and a bucket of its own in it, so that tests
do not see each other's jobs, pools and quotas. Time is shared by a process's accounts, so a test that moved it
takes its process with it. Nothing is imported or started until a test asks for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sagemaker.client import SageMakerClient

    from wpfsm.adapters.emulator.launch import Endpoint
    from wpfsm.adapters.emulator.runner.base import JSONValue

REGION = "us-east-1"
MADE_UP = "made-up"


@dataclass(frozen=True)
class SageMakerEmulator:
    """What a test gets.

    Attributes:
        url: The endpoint, for ``AWS_ENDPOINT_URL`` or ``endpoint_url``.
        account: Twelve digits, of this test alone; they are also its access key.
        region: The default region.
        bucket: An S3 bucket that exists, of this test alone.
        token: The session token that the emulator asks for, empty where it tells its callers' users apart.
    """

    url: str
    account: str
    region: str = REGION
    bucket: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")
    token: str = ""
    advances: list[float] = field(default_factory=list)
    """Seconds by which the test moved the clock, one entry a call."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that lead any AWS client here and nowhere else; they are set while the test runs."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": MADE_UP,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "SAGEMAKER_VALIDATE_ROLE": "false",
            **({"AWS_SESSION_TOKEN": self.token} if self.token else {}),
        }

    @property
    def session(self) -> boto3.Session:
        """A boto3 session whose clients talk to the emulator while the test runs."""
        import boto3

        return boto3.Session(self.account, MADE_UP, self.token or None, region_name=self.region)

    @property
    def sagemaker(self) -> SageMakerClient:
        """A SageMaker client."""
        return self.session.client("sagemaker", endpoint_url=self.url)

    def advance(self, seconds: float) -> None:
        """Let time pass in the emulator: keep-alive periods, delays, limits."""
        self.advances.append(seconds)
        self._ask("POST", "clock", {"advance": seconds})

    def inject(self, *faults: dict[str, JSONValue]) -> None:
        """Put faults in force until the test ends."""
        self._ask("POST", "faults", list(faults))

    def strike(self, job: str, event: str) -> None:
        """Let something happen to a job's Available pool: ``patch_update`` or ``steal``."""
        self._ask("POST", f"pools/{job}", {"event": event})

    def records(self) -> dict[str, Any]:
        """Return the jobs, the pools and the calls of this test's account."""
        found = cast("dict[str, Any]", self._ask("GET", "records"))
        for kind in ("jobs", "pools", "calls"):
            found[kind] = [row for row in found[kind] if row["account"] == self.account]
        return found

    def clear_faults(self) -> None:
        """Take every fault out of force."""
        self._ask("DELETE", "faults")

    def _ask(self, method: str, path: str, body: JSONValue = None) -> JSONValue:
        from wpfsm.adapters.emulator.launch import ask

        scope = f"AWS4-HMAC-SHA256 Credential={self.account}/20000101/{self.region}/sagemaker/aws4_request"
        token = {"X-Amz-Security-Token": self.token} if self.token else {}
        return ask(self.url, method, path, body, headers={"Authorization": scope, **token})


@pytest.fixture(scope="session")
def sagemaker_emulator_options() -> Sequence[str]:
    """Options of ``wpfsm emulator`` for the session's process; override it to give others."""
    return ["--cold-start", "0.1", "--warm-start", "0"]


class _Process:
    """The session's emulator, which is started when a test needs it and there is none."""

    def __init__(self, new_folder: Callable[[], Path], options: Sequence[str]) -> None:
        self._new_folder = new_folder
        self._options = options
        self._state: Path | None = None

    def endpoint(self) -> Endpoint:
        """Where it listens, and what it asks for."""
        from wpfsm.adapters.emulator.launch import ensure

        self._state = self._state or self._new_folder()
        return ensure(self._state, options=self._options)

    def end(self) -> None:
        """Stop it; the next one begins with nothing, at the present time."""
        from wpfsm.adapters.emulator.launch import stop

        if self._state:
            stop(self._state)
        self._state = None


@pytest.fixture(scope="session")
def sagemaker_emulator_process(
    tmp_path_factory: pytest.TempPathFactory, sagemaker_emulator_options: Sequence[str]
) -> Iterator[_Process]:
    """The session's process, for the fixture below."""
    process = _Process(lambda: tmp_path_factory.mktemp("sagemaker-emulator"), sagemaker_emulator_options)
    yield process
    process.end()


@pytest.fixture
def sagemaker_emulator(
    sagemaker_emulator_process: _Process, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SageMakerEmulator]:
    """A SageMaker endpoint that really runs training jobs, with the environment set so that clients find it."""
    account = f"{uuid.uuid4().int % 10**12:012d}"
    endpoint = sagemaker_emulator_process.endpoint()
    emulator = SageMakerEmulator(endpoint.url, account, token=endpoint.token)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    emulator.session.client("s3", endpoint_url=emulator.url).create_bucket(Bucket=emulator.bucket)
    yield emulator
    if emulator.advances:
        sagemaker_emulator_process.end()
    else:
        emulator.clear_faults()
