"""Service Quotas operations for SageMaker's training quotas, as requests and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from wpfsm.adapters.emulator.api.operations import Call, EngineApi, Operation
from wpfsm.adapters.emulator.api.wire import page_position
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.quotas import SERVICE, IncreaseRequest, Quota, catalogue
from wpfsm.adapters.emulator.engine.records import Place, Request
from wpfsm.adapters.emulator.engine.settings import ROOM
from wpfsm.adapters.emulator.runner.base import JSONValue

PAGE = 100


class QuotaApi(EngineApi):
    """Answers Service Quotas operations."""

    def __init__(self, engine: Engine) -> None:
        operations: dict[str, Operation] = {
            "GetServiceQuota": self._get,
            "ListServiceQuotas": self._list,
            "GetAWSDefaultServiceQuota": self._get_default,
            "ListAWSDefaultServiceQuotas": self._list_defaults,
            "RequestServiceQuotaIncrease": self._request,
            "GetRequestedServiceQuotaChange": self._requested,
            "ListRequestedServiceQuotaChangeHistory": self._history,
            "ListRequestedServiceQuotaChangeHistoryByQuota": self._history,
            "ListServices": self._services,
        }
        super().__init__(engine, operations)

    def _get(self, call: Call, _: float) -> Request:
        quota = _quota(call)
        value = self._applied(call.place, quota)
        if value is None:
            raise _no_such(f"The quota {quota.code} has no applied value.")
        return {"Quota": _shown(call.place, quota, value)}

    def _get_default(self, call: Call, _: float) -> Request:
        return {"Quota": _shown(call.place, _quota(call), ROOM)}

    def _list(self, call: Call, _: float) -> Request:
        values = [(quota, self._applied(call.place, quota)) for quota in _chosen(call)]
        shown = [_shown(call.place, quota, value) for quota, value in values if value is not None]
        return _page(call, "Quotas", shown)

    def _list_defaults(self, call: Call, _: float) -> Request:
        return _page(call, "Quotas", [_shown(call.place, quota, ROOM) for quota in _chosen(call)])

    def _applied(self, place: Place, quota: Quota) -> float | None:
        """Return a quota's applied value; what was never changed has none, unless the switch shows it."""
        value = self._engine.quotas.applied(place, quota)
        if value is None and self._engine.settings.switches.untouched_quotas == "listed":
            return ROOM
        return value

    def _request(self, call: Call, now: float) -> Request:
        quota = _quota(call)
        desired = cast("float", call.request["DesiredValue"])
        present = self._engine.quotas.value(call.place, quota.instance_type, quota.usage)
        if any(each.quota == quota and each.status == "PENDING" for each in self._requests(call)):
            raise ServiceError(
                "ResourceAlreadyExistsException",
                "Only one open service quota increase request is allowed per quota.",
            )
        if desired <= present:
            raise ServiceError(
                "IllegalArgumentException", f"The desired value {desired:g} is not above {present:g}."
            )
        made = self._engine.quotas.request(call.place, quota, desired, now)
        return {"RequestedQuota": _shown_request(call.place, made)}

    def _requests(self, call: Call) -> list[IncreaseRequest]:
        return self._engine.quotas.requests(call.place)

    def _requested(self, call: Call, _: float) -> Request:
        for each in self._requests(call):
            if each.identifier == call.request["RequestId"]:
                return {"RequestedQuota": _shown_request(call.place, each)}
        raise _no_such("No such request.")

    def _history(self, call: Call, _: float) -> Request:
        code, status = call.request.get("QuotaCode"), call.request.get("Status")
        shown = [
            _shown_request(call.place, each)
            for each in self._requests(call)
            if code in {None, each.quota.code} and status in {None, each.status}
        ]
        return _page(call, "RequestedQuotas", shown)

    def _services(self, call: Call, _: float) -> Request:
        return _page(call, "Services", [{"ServiceCode": SERVICE, "ServiceName": "Amazon SageMaker"}])


def _chosen(call: Call) -> list[Quota]:
    _check_service(call)
    code = call.request.get("QuotaCode")
    return [quota for quota in catalogue().values() if code in {None, quota.code}]


def _quota(call: Call) -> Quota:
    _check_service(call)
    found = catalogue().get(str(call.request["QuotaCode"]))
    if found is None:
        raise _no_such("The request failed because the specified service quota does not exist.")
    return found


def _check_service(call: Call) -> None:
    if call.request.get("ServiceCode") != SERVICE:
        raise _no_such("The request failed because the specified service does not exist.")


def _no_such(message: str) -> ServiceError:
    return ServiceError("NoSuchResourceException", message)


def _page(call: Call, name: str, rows: Sequence[Request]) -> Request:
    """Cut a page out of rows; the token is the number of the first row of the next page."""
    start = page_position(str(call.request.get("NextToken", "0")))
    if start is None or (start and start >= len(rows)):
        raise ServiceError("InvalidPaginationTokenException", "Invalid NextToken.")
    size = cast("int", call.request.get("MaxResults", PAGE))
    answer: dict[str, JSONValue] = {name: cast("JSONValue", list(rows[start : start + size]))}
    if start + size < len(rows):
        answer["NextToken"] = str(start + size)
    return answer


def _arn(place: Place, code: str) -> str:
    return f"arn:aws:servicequotas:{place[1]}:{place[0]}:{SERVICE}/{code}"


def _shown(place: Place, quota: Quota, value: float) -> Request:
    answer: dict[str, JSONValue] = {
        "ServiceCode": SERVICE,
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": _arn(place, quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }
    if quota.usage == "training":
        answer["UsageMetric"] = {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": {
                "Class": "None",
                "Resource": f"training-job/{quota.instance_type}",
                "Service": "SageMaker",
                "Type": "Resource",
            },
            "MetricStatisticRecommendation": "Maximum",
        }
    return answer


def _shown_request(place: Place, each: IncreaseRequest) -> Request:
    return {
        "Id": each.identifier,
        "ServiceCode": SERVICE,
        "ServiceName": "Amazon SageMaker",
        "QuotaCode": each.quota.code,
        "QuotaName": each.quota.name,
        "QuotaArn": _arn(place, each.quota.code),
        "DesiredValue": each.value,
        "Status": each.status,
        "Created": each.created,
        "GlobalQuota": False,
        "Unit": "None",
    }
