"""The Service Quotas API behind the ``Quotas`` port.

A quota is found by its exact name, for codes differ by instance type and are not documented in one place.
There is no filter by name on the server and SageMaker has thousands of quotas, so a listing is read
lazily: page by page, as far as the names asked for, never twice. ListServiceQuotas leaves out quotas to
which no value was applied (Service Quotas API reference); those come from ListAWSDefaultServiceQuotas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from wpfsm.adapters.aws.errors import translated
from wpfsm.fsm.pool.quota import SERVICE_CODE, training_quota_name, warm_pool_quota_name
from wpfsm.fsm.ports import QuotaReading

if TYPE_CHECKING:
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_service_quotas.type_defs import ServiceQuotaTypeDef

PAGE_SIZE = 100
"""The most that the API gives in one page."""

_Page = tuple[Sequence["ServiceQuotaTypeDef"], str]
"""The quotas of one page, and the token of the next; an empty token ends the listing."""


class _More(TypedDict, total=False):
    NextToken: str


class ServiceQuotas:
    """Reads quotas by name. One object is one look: what it has read it does not read again.

    Args:
        client: a boto3 client of ``service-quotas`` in the region at hand.
    """

    def __init__(self, client: ServiceQuotasClient) -> None:
        self._client = client
        self._applied = _Listing(self._applied_page, "applied")
        self._default = _Listing(self._default_page, "default")

    def read(self, instance_type: str) -> tuple[QuotaReading | None, QuotaReading | None]:
        """The quotas of training jobs and of warm pools, applied values first, then the service's defaults.

        Args:
            instance_type: such as ``ml.g5.2xlarge``.

        Returns:
            The two readings; None where the service lists no quota of that name.

        Raises:
            ServiceDenied: the credentials may not list quotas.
            Unknown: the service could not be reached, or throttled the listing.
            Rejected: it refused for another reason.
        """
        names = (training_quota_name(instance_type), warm_pool_quota_name(instance_type))
        found = self._applied.find(names)
        missing = [name for name in names if name not in found]
        if missing:
            found |= self._default.find(missing)
        training, warm_pool = (found.get(name) for name in names)
        return training, warm_pool

    def _applied_page(self, token: str) -> _Page:
        more: _More = {"NextToken": token} if token else {}
        with translated("ListServiceQuotas"):
            page = self._client.list_service_quotas(ServiceCode=SERVICE_CODE, MaxResults=PAGE_SIZE, **more)
        return page.get("Quotas", []), page.get("NextToken", "")

    def _default_page(self, token: str) -> _Page:
        more: _More = {"NextToken": token} if token else {}
        with translated("ListAWSDefaultServiceQuotas"):
            page = self._client.list_aws_default_service_quotas(
                ServiceCode=SERVICE_CODE, MaxResults=PAGE_SIZE, **more
            )
        return page.get("Quotas", []), page.get("NextToken", "")


class _Listing:
    """A listing that is read only as far as it must be.

    A page that fails leaves the place in the listing as it was, so that the next look goes on from there
    and never takes a half-read listing for the whole.
    """

    def __init__(self, fetch: Callable[[str], _Page], source: Literal["applied", "default"]) -> None:
        self._fetch = fetch
        self._source = source
        self._seen: dict[str, QuotaReading] = {}
        self._token = ""
        self._read_to_the_end = False

    def find(self, names: Sequence[str]) -> dict[str, QuotaReading]:
        """The readings of these names, as far as the listing has them."""
        while not self._read_to_the_end and any(name not in self._seen for name in names):
            quotas, self._token = self._fetch(self._token)
            self._read_to_the_end = not self._token
            self._seen |= {reading.name: reading for quota in quotas if (reading := self._reading(quota))}
        return {name: self._seen[name] for name in names if name in self._seen}

    def _reading(self, quota: ServiceQuotaTypeDef) -> QuotaReading | None:
        """None for a quota whose value could not be retrieved (it carries an ErrorReason instead)."""
        name, value = quota.get("QuotaName"), quota.get("Value")
        if name is None or value is None:
            return None
        return QuotaReading(name=name, code=quota.get("QuotaCode"), value=value, source=self._source)
