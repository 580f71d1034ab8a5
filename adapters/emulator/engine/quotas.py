"""Service Quotas for SageMaker: what each instance type may have, and the requests for more."""

from __future__ import annotations

import functools
import hashlib
import uuid
from dataclasses import dataclass

from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.records import Place
from wpfsm.adapters.emulator.engine.service_model import instance_types
from wpfsm.adapters.emulator.engine.settings import ROOM, Settings, Usage
from wpfsm.adapters.emulator.engine.store import Store

SERVICE = "sagemaker"

# Codes that public sources agree on; every other code is made from the quota's name.
KNOWN_CODES = {
    "ml.g5.xlarge for training job usage": "L-B6D80D9C",
    "ml.g5.2xlarge for training job usage": "L-2D6DEB3C",
    "ml.g5.12xlarge for training job usage": "L-C6383286",
    "ml.g5.48xlarge for training job usage": "L-6BC98A55",
    "ml.g4dn.xlarge for training job usage": "L-3F53BF0F",
    "ml.m5.large for training job usage": "L-611FA074",
    "ml.m5.xlarge for training job usage": "L-CCE2AFA6",
    "ml.p4d.24xlarge for training job usage": "L-09B4A649",
    "ml.p4de.24xlarge for training job usage": "L-D948A761",
    "ml.p5.48xlarge for training job usage": "L-82E1C851",
    "ml.p3.2xlarge for training job usage": "L-D438008E",
    "ml.c7i.4xlarge for training job usage": "L-1EC4D7FD",
    "ml.g5.xlarge for training warm pool usage": "L-8E6F4665",
    "ml.m5.4xlarge for training warm pool usage": "L-03767DF9",
}
NAMES: dict[Usage, str] = {
    "training": "{} for training job usage",
    "warm_pool": "{} for training warm pool usage",
}


@dataclass(frozen=True)
class Quota:
    """One quota of one instance type.

    Attributes:
        name: As Service Quotas spells it, for instance ``ml.g5.xlarge for training warm pool usage``.
    """

    code: str
    name: str
    instance_type: str
    usage: Usage


@dataclass(frozen=True)
class IncreaseRequest:
    """A request for a higher quota."""

    identifier: str
    quota: Quota
    value: float
    status: str
    created: float


@functools.cache
def catalogue() -> dict[str, Quota]:
    """Return every quota by its code, sorted by name."""
    quotas = [_quota(each, usage) for each in instance_types() for usage in NAMES]
    return {quota.code: quota for quota in sorted(quotas, key=lambda q: q.name)}


def _quota(instance_type: str, usage: Usage) -> Quota:
    name = NAMES[usage].format(instance_type)
    made = "L-" + hashlib.sha256(name.encode()).hexdigest()[:8].upper()
    return Quota(KNOWN_CODES.get(name, made), name, instance_type, usage)


def training_limit(instance_type: str, allowed: float, used: int, wanted: int) -> ServiceError:
    """Return the error for more instances than the training quota allows, in the service's words."""
    name = NAMES["training"].format(instance_type)
    return ServiceError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{name}' is {allowed:g} Instances, with current utilization of"
        f" {used} Instances and a request delta of {wanted} Instances. Please use AWS Service Quotas to request"
        " an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an"
        " increase for this quota.",
    )


class Quotas:
    """The values that apply, by account and region."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def value(self, place: Place, instance_type: str, usage: Usage) -> float:
        """Return how many instances are allowed."""
        quota = _quota(instance_type, usage)
        applied = self.applied(place, quota)
        return ROOM if applied is None else applied

    def applied(self, place: Place, quota: Quota) -> float | None:
        """Return the applied value, None when the quota was never changed from the default."""
        row = self._store.db.execute(
            "SELECT value FROM quotas WHERE account = ? AND region = ? AND code = ?", (*place, quota.code)
        ).fetchone()
        if row is not None:
            return float(row[0])
        return self._settings.quotas.get((quota.instance_type, quota.usage))

    def apply(self, place: Place, code: str, value: float) -> None:
        """Set a value, as an approved request does."""
        self._store.begin()
        self._store.db.execute("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?)", (*place, code, value))
        self._store.db.execute(
            "UPDATE quota_requests SET status = 'APPROVED'"
            " WHERE account = ? AND region = ? AND code = ? AND status = 'PENDING'",
            (*place, code),
        )

    def request(self, place: Place, quota: Quota, value: float, at: float) -> IncreaseRequest:
        """File a request for an increase, which stays pending until ``apply``."""
        made = IncreaseRequest(uuid.uuid4().hex, quota, value, "PENDING", at)
        self._store.begin()
        self._store.db.execute(
            "INSERT INTO quota_requests VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made.identifier, *place, quota.code, value, made.status, at),
        )
        return made

    def requests(self, place: Place) -> list[IncreaseRequest]:
        """Return the requests for increases, oldest first."""
        rows = self._store.db.execute(
            "SELECT id, code, value, status, created FROM quota_requests"
            " WHERE account = ? AND region = ? ORDER BY created, id",
            place,
        )
        return [IncreaseRequest(r[0], catalogue()[r[1]], r[2], r[3], r[4]) for r in rows]
