"""Sessions and clients: whose credentials, which endpoint, and no retries of botocore's own.

Retries belong to the controller, which knows whether an outcome is unknown and passes a named boundary for
every try. Connections are kept alive between calls, which the gap between two jobs is made of.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_pricing.client import PricingClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_service_quotas.client import ServiceQuotasClient
    from mypy_boto3_sts.client import STSClient

LOCAL_ACCESS_KEY = "wpfsm-local"
"""What the embedded emulator is called with; the user's own credentials never reach it."""


@dataclass(frozen=True)
class Target:
    """Where the calls go.

    Attributes:
        region: AWS region.
        endpoint_url: An endpoint that stands for every service; empty for AWS itself.
        local: Use the fixed credentials of the embedded emulator instead of the user's.
        token: The session token beside them, where the emulator asks for one.
    """

    region: str
    endpoint_url: str = ""
    local: bool = False
    token: str = ""

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        host = urlsplit(self.endpoint_url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")


class Clients:
    """Clients of one target, made when first asked for."""

    def __init__(self, target: Target, session: boto3.Session | None = None) -> None:
        self.target = target
        self.session = session or _session(target)
        self._config = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            tcp_keepalive=True,
            max_pool_connections=4,
            user_agent_extra="wpfsm",
        )

    @functools.cached_property
    def sagemaker(self) -> SageMakerClient:
        """SageMaker."""
        return self.session.client("sagemaker", config=self._config, endpoint_url=self._url)

    @functools.cached_property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs."""
        return self.session.client("logs", config=self._config, endpoint_url=self._url)

    @functools.cached_property
    def quotas(self) -> ServiceQuotasClient:
        """Service Quotas."""
        return self.session.client("service-quotas", config=self._config, endpoint_url=self._url)

    @functools.cached_property
    def iam(self) -> IAMClient:
        """IAM."""
        return self.session.client("iam", config=self._config, endpoint_url=self._url)

    @functools.cached_property
    def sts(self) -> STSClient:
        """STS."""
        return self.session.client("sts", config=self._config, endpoint_url=self._url)

    @functools.cached_property
    def s3(self) -> S3Client:
        """The bucket store that sources and artifacts go to."""
        return self.session.client("s3", config=self._config, endpoint_url=self._url)

    def pricing(self, region: str) -> PricingClient:
        """Price List, which has endpoints in a few regions only."""
        return self.session.client("pricing", region_name=region, config=self._config, endpoint_url=self._url)

    @property
    def _url(self) -> str | None:
        return self.target.endpoint_url or None


def environment(target: Target) -> dict[str, str]:
    """The variables that make a child process reach the same target with the same credentials."""
    variables = {"AWS_DEFAULT_REGION": target.region, "AWS_REGION": target.region}
    if target.endpoint_url:
        variables["AWS_ENDPOINT_URL"] = target.endpoint_url
        variables["AWS_EC2_METADATA_DISABLED"] = "true"
    if target.local or (target.loopback and not _own_credentials(target)):
        variables |= {"AWS_ACCESS_KEY_ID": LOCAL_ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": "none"}
        variables |= {"AWS_SESSION_TOKEN": target.token} if target.token else {}
    return variables


def _session(target: Target) -> boto3.Session:
    if target.local:
        return boto3.Session(
            aws_access_key_id=LOCAL_ACCESS_KEY,
            aws_secret_access_key="none",
            aws_session_token=target.token or None,
            region_name=target.region,
        )
    if not target.loopback:
        return boto3.Session(region_name=target.region)
    return _own_credentials(target) or _session(replace(target, local=True))


def may_sign() -> bool:
    """Whether this machine has credentials for AWS: in a variable, a file, or of its role, which is asked for a second."""
    session = botocore.session.get_session()
    session.set_config_variable("metadata_service_timeout", 1)
    try:
        return session.get_credentials() is not None
    except BotoCoreError:
        return True  # some are configured, and cannot be had: whoever asks hears why


def _own_credentials(target: Target) -> boto3.Session | None:
    """The user's session for an endpoint on this machine; None without credentials, which it can do without."""
    # It never needs the metadata service, whose look-up takes seconds.
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.Session(region_name=target.region)
    return session if session.get_credentials() else None
