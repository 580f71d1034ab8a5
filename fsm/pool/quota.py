"""Service quotas as headroom: what is left beside the instances that jobs and pools hold already.

Sources: developer guide, train-warm-pools-resource-limits: warm pool usage is limited per account, region
and instance type, its default is 0, with too little of it the keep-alive silently does nothing, and an idle
pool counts toward the limit of training jobs as well.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from wpfsm.fsm.ports import QuotaReading

SERVICE_CODE = "sagemaker"

HoldingKind = Literal["job", "pool"]
QuotaVerdict = Literal["ok", "short", "zero", "unknown"]


def training_quota_name(instance_type: str) -> str:
    """The exact name of the quota of training jobs."""
    return f"{instance_type} for training job usage"


def warm_pool_quota_name(instance_type: str) -> str:
    """The exact name of the quota of warm pools."""
    return f"{instance_type} for training warm pool usage"


@dataclass(frozen=True)
class Holding:
    """Instances that somebody holds.

    Attributes:
        job_name: the running job, or the job that owns the pool.
        instance_type: of the instances.
        instances: how many.
        kind: a running job, or an idle pool.
        ours: held by this loop. Its idle pool is what the next job takes, so it stands in nobody's way.
        loop: id of the loop of wpfsm that it belongs to, whoever drives that; empty for anybody else's.
    """

    job_name: str
    instance_type: str
    instances: int
    kind: HoldingKind
    ours: bool
    loop: str = ""


@dataclass(frozen=True)
class Headroom:
    """A quota against what is needed.

    Attributes:
        quota: the reading; None when no such quota was found.
        held: instances that count against it now.
        free: what is left; None when the quota is unknown, negative when it was lowered meanwhile.
        needed: instances of the next job.
        holders: who holds what, largest first.
    """

    quota: QuotaReading | None
    held: int
    free: float | None
    needed: int
    holders: tuple[Holding, ...]

    @property
    def reusable(self) -> int:
        """Held instances that the next job takes over: this loop's own idle pool."""
        return sum(holder.instances for holder in self.holders if holder.ours and holder.kind == "pool")

    @property
    def enough(self) -> int:
        """The smallest value of the quota that has room for the next job beside what is held."""
        return self.held - self.reusable + self.needed

    @property
    def verdict(self) -> QuotaVerdict:
        """Whether there is room; a quota of 0 is told apart, because there keep-alive silently does nothing."""
        if self.quota is None or self.free is None:
            return "unknown"
        if self.quota.value <= 0:
            return "zero"
        return "ok" if self.free + self.reusable >= self.needed else "short"

    @property
    def text(self) -> str:
        """The arithmetic in one sentence, and who holds what."""
        if self.quota is None or self.free is None:
            return f"the quota is unknown; {self.held} held, {self.needed} needed"
        source = "" if self.quota.source == "applied" else " (the service's default)"
        sums = f"{self.quota.name!r} is {self.quota.value:g}{source}: {self.held} held, {self.free:g} free"
        who = "; ".join(_holder_text(holder) for holder in self.holders)
        return f"{sums}, {self.needed} needed" + (f". Held by {who}" if who else "")


def headroom(
    quota: QuotaReading | None,
    holdings: Iterable[Holding],
    needed: int,
    *,
    instance_type: str,
    kinds: Sequence[HoldingKind] = ("job", "pool"),
) -> Headroom:
    """What a quota leaves for the next job.

    Args:
        quota: the reading; None when no such quota was found.
        holdings: whatever is held in the account and region, of any type.
        needed: instances of the next job.
        instance_type: the type of the quota; holdings of other types do not count.
        kinds: what counts: jobs and idle pools for the quota of training jobs, ``("pool",)`` for that of
            warm pools.
    """
    counted = (h for h in holdings if h.instance_type == instance_type and h.kind in kinds)
    holders = tuple(sorted(counted, key=lambda h: (-h.instances, h.job_name)))
    held = sum(holder.instances for holder in holders)
    return Headroom(
        quota=quota,
        held=held,
        free=None if quota is None else quota.value - held,
        needed=needed,
        holders=holders,
    )


def increase_command(quota: QuotaReading, region: str, desired: float) -> list[str]:
    """The command that asks AWS for more. It is only ever shown: a request is not idempotent, and is the user's.

    A reading without a code gives the command that finds the code.

    Args:
        quota: the quota that is too small.
        region: where.
        desired: the new value in instances.
    """
    if quota.code is None:
        return [
            *_aws("list-aws-default-service-quotas", region),
            *("--query", f"Quotas[?QuotaName=='{quota.name}'].QuotaCode", "--output", "text"),
        ]
    return [
        *_aws("request-service-quota-increase", region),
        *("--quota-code", quota.code, "--desired-value", f"{desired:g}"),
    ]


def as_shell(argv: Sequence[str]) -> str:
    """A command as a person pastes it."""
    return shlex.join(argv)


def _aws(operation: str, region: str) -> list[str]:
    return ["aws", "service-quotas", operation, "--service-code", SERVICE_CODE, "--region", region]


def _holder_text(holder: Holding) -> str:
    what = "idle pool of" if holder.kind == "pool" else "running job"
    whose = ", this loop's" if holder.ours else f", of loop {holder.loop}" if holder.loop else ""
    return f"{holder.instances} x {what} {holder.job_name}{whose}"
