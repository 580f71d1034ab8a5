"""Looks at the account before anything is created: all checks run, then all findings are shown at once.

Used by Preflight and by ``wpfsm plan``. Reads only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from wpfsm.fsm.costs import limits
from wpfsm.fsm.errors import POLICY, MissingExtra, Rejected, ServiceDenied, with_fix
from wpfsm.fsm.gateway import Gateway
from wpfsm.fsm.loopfile.model import LoopFile, own_price
from wpfsm.fsm.pool.quota import (
    Headroom,
    Holding,
    HoldingKind,
    as_shell,
    headroom,
    increase_command,
    training_quota_name,
    warm_pool_quota_name,
)
from wpfsm.fsm.ports import Denial, Identity, JobSummary, Request, Violation
from wpfsm.fsm.records import JSON, TERMINAL, Outcome, Price
from wpfsm.fsm.request.compose import LOOP_TAG
from wpfsm.fsm.request.rules import Objection, draft, objections
from wpfsm.fsm.strategies.expression_doubts import doubts
from wpfsm.fsm.strategies.registry import missing_extra
from wpfsm.fsm.units import usd

T = TypeVar("T")

MOST_HOLDERS = 50
"""Holders that are described one by one: ListTrainingJobs does not say their instance type."""

Level = Literal["refuse", "warn", "note"]
Kind = Literal["quota", "permissions", "extra", "price", "limits", "pool", "request", "source", "metric"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        level: ``refuse`` ends the loop, ``warn`` is said and accepted, ``note`` says that something is not known.
        kind: What decides the exit code; see :func:`outcome_of`.
        text: What, with the values.
        fix: The next thing to do.
    """

    level: Level
    kind: Kind
    text: str
    fix: str = ""

    def __str__(self) -> str:
        """The sentence, and the fix on a line of its own."""
        return with_fix(self.text, self.fix)

    def to_json(self) -> dict[str, JSON]:
        """As plain JSON."""
        return {"level": self.level, "kind": self.kind, "text": self.text, "fix": self.fix}


@dataclass(frozen=True)
class Survey:
    """What the account looks like to this loop."""

    identity: Identity | None
    price: Price | None
    training: Headroom | None
    warm_pool: Headroom | None
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings that end the loop."""
        return tuple(f for f in self.findings if f.level == "refuse")


def outcome_of(refused: Sequence[Finding]) -> Outcome:
    """How a loop ends that these findings refuse: permissions before all else, limits only if nothing else."""
    kinds = {finding.kind for finding in refused}
    if "permissions" in kinds:
        return Outcome.DENIED
    return Outcome.LIMIT if kinds == {"limits"} else Outcome.REFUSED


def survey(account: Gateway, file: LoopFile, *, ours: Callable[[str], bool]) -> Survey:
    """Run every check and collect every finding.

    Args:
        account: The reads.
        file: The loop file.
        ours: Whether a job name belongs to the loop at hand.
    """
    findings = [*check_extras(file), *check_metric(file), *check_request(file, account.violations)]
    identity = _allowed(findings, "sts:GetCallerIdentity", account.identity)
    if identity is None:
        return Survey(None, None, None, None, tuple(findings))
    _check_permissions(account, file, findings)
    training, warm_pool = _check_rooms(account, file, findings, ours)
    price = _allowed(findings, "pricing:GetProducts", lambda: find_price(account, file), "warn")
    findings += _check_money(file, price)
    return Survey(identity, price, training, warm_pool, tuple(findings))


def find_price(account: Gateway, file: LoopFile) -> Price | None:
    """The loop file's price, else the price list's; None when unknown."""
    if file.pool.price_per_hour is not None:
        return own_price(file, account.clock.now())
    return account.price(file.region, file.pool.instance_type)


def check_metric(file: LoopFile) -> Iterator[Finding]:
    """Whether a metric's expression would capture only a part of some number."""
    goal = [("metric", file.metric.regex)] if file.metric else []
    keys = [*goal, *((f"metrics.{number}", metric.regex) for number, metric in enumerate(file.metrics))]
    for key, doubt in ((key, doubt) for key, regex in keys for doubt in doubts(regex)):
        fix = "capture all of it: ([-+0-9.eE]+), and try it with wpfsm metric test; a part of a number is not compared"
        yield Finding("warn", "metric", f"{key}.regex: {doubt}", fix)


def check_extras(file: LoopFile) -> Iterator[Finding]:
    """The optional dependencies that this loop needs and that are not installed. Imports none of them."""
    if not file.job.request and importlib.util.find_spec("sagemaker") is None:
        missing = MissingExtra("sagemaker", "rendering a job from source and entry")
        yield Finding("refuse", "extra", missing.message, missing.fix)
    if wanted := missing_extra(file.strategy):
        yield Finding("refuse", "extra", wanted.message, wanted.fix)


def check_request(file: LoopFile, violations: Callable[[Request], Sequence[Violation]]) -> Iterator[Finding]:
    """What the service's model refuses in the request as far as the loop file states it."""
    if not file.job.request:
        yield from map(refusal, objections(draft(file), violations))


def refusal(objection: Objection) -> Finding:
    """An objection to the request as a finding."""
    return Finding("refuse", "request", str(objection), objection.fix)


def _check_permissions(account: Gateway, file: LoopFile, findings: list[Finding]) -> None:
    request = {**draft(file), "RoleArn": file.pool.role or ""}
    denied = _allowed(
        findings,
        "the permissions could not be tried: iam:SimulatePrincipalPolicy",
        lambda: account.missing_permissions(request),
        "warn",
    )
    findings += map(_not_allowed, denied or ())


def _not_allowed(denial: Denial) -> Finding:
    """A denial; what hangs on a condition that no simulation can judge is said, and left to the service."""
    if not denial.lacking:
        return Finding("refuse", "permissions", f"the credentials may not {denial.action}", POLICY)
    return Finding(
        "warn",
        "permissions",
        f"whether the credentials may {denial.action} depends on {', '.join(denial.lacking)}, which a simulation "
        "cannot know",
        f"go on if that condition holds here; else {POLICY}",
    )


def _check_money(file: LoopFile, price: Price | None) -> Iterator[Finding]:
    """An unknown price, and limits that do not admit even one job."""
    pool, asked = file.pool, file.limits
    if price is None:
        yield Finding(
            "warn",
            "price",
            f"the price of {pool.instance_type} in {file.region} is not known",
            "set pool.price_per_hour; until then dollars are shown as unknown",
        )
    refused = limits.admit(
        limits.Allowance(asked.max_jobs, asked.max_cost, asked.max_wall, asked.max_failures),
        limits.Spent(),
        max_runtime=file.job.max_runtime,
        keep_alive=float(pool.keep_alive or 0) if file.keeps_pool else 0.0,
        price_per_hour=price.usd_per_hour if price else None,
        instance_count=pool.instance_count,
    )
    if refused:
        yield Finding("refuse", "limits", refused.text)
    elif price is not None and asked.max_cost is not None and file.lanes > 1:
        worst = file.lanes * limits.worst_case_usd(
            file.job.max_runtime, float(pool.keep_alive or 0), price.usd_per_hour, pool.instance_count
        )
        if worst > asked.max_cost:
            yield Finding(
                "refuse",
                "limits",
                f"limits.max_cost of {usd(asked.max_cost)} does not admit {file.lanes} lanes: their first jobs may "
                f"cost {usd(worst)} at worst, before any of them has ended",
                "lower job.max_runtime, pool.keep_alive or lanes, or raise limits.max_cost",
            )


def _allowed(
    findings: list[Finding], action: str, read: Callable[[], T], level: Level = "refuse"
) -> T | None:
    try:
        return read()
    except ServiceDenied as error:
        findings.append(
            Finding(level, "permissions", f"{action}: {error.code}: {error.message}", error.fix or POLICY)
        )
    except Rejected as error:
        if level == "refuse":
            raise
        findings.append(Finding(level, "permissions", f"{action}: {error.code}: {error.message}", error.fix))
    return None


def _check_rooms(
    account: Gateway, file: LoopFile, findings: list[Finding], ours: Callable[[str], bool]
) -> tuple[Headroom | None, Headroom | None]:
    """The headroom of both quotas; of warm pools only when the loop asks for one."""
    pool = file.pool
    quotas = _allowed(findings, "servicequotas:ListServiceQuotas", lambda: account.quota(pool.instance_type))
    if quotas is None:
        return None, None
    held = (
        _allowed(findings, "sagemaker:ListTrainingJobs", lambda: holdings(account, pool.instance_type, ours))
        or []
    )
    if account.unlisted:
        findings.append(
            Finding(
                "warn",
                "quota",
                f"{account.unlisted}: what others hold may be more than is counted",
                "wpfsm pools shows what was found",
            )
        )
    needed = pool.instance_count * file.lanes
    training = headroom(quotas[0], held, needed, instance_type=pool.instance_type)
    _judge(findings, training, training_quota_name(pool.instance_type), file, _NO_JOB)
    if not file.keeps_pool:
        return training, None
    warm = headroom(quotas[1], held, needed, instance_type=pool.instance_type, kinds=("pool",))
    _judge(findings, warm, warm_pool_quota_name(pool.instance_type), file, _NO_POOL)
    if {training.verdict, warm.verdict} & {"short", "zero"}:
        findings += _left_behind(held)
    return training, warm


_NO_JOB = "the service would refuse the job (ResourceLimitExceeded)"
_NO_POOL = (
    "keep-alive would silently do nothing, for the service keeps no pool without room in this quota, and every "
    "job would start cold"
)


def _judge(findings: list[Finding], room: Headroom, name: str, file: LoopFile, consequence: str) -> None:
    if room.quota is None:
        findings.append(
            Finding(
                "warn",
                "quota",
                f"no quota called '{name}' is listed; its value is unknown",
                "check it in the Service Quotas console",
            )
        )
    elif room.verdict in ("short", "zero"):
        command = as_shell(increase_command(room.quota, file.region, room.enough))
        findings.append(Finding("refuse", "quota", f"{room.text}: {consequence}", command))


def _left_behind(held: Sequence[Holding]) -> Iterator[Finding]:
    """Idle pools of other loops of wpfsm, which may be what stands in the way."""
    for holding in held:
        if holding.loop and holding.kind == "pool" and not holding.ours:
            yield Finding(
                "warn",
                "pool",
                f"{holding.instances} of these are the idle pool of {holding.job_name}, which the loop "
                f"{holding.loop} of wpfsm left or still uses",
                "wpfsm gc --apply releases it if no live controller owns it",
            )


def holdings(account: Gateway, instance_type: str, ours: Callable[[str], bool]) -> list[Holding]:
    """Who holds instances of this type now: running jobs and idle pools, described one by one."""
    found = [(summary, kind) for summary in account.recent_jobs() if (kind := _holds(summary))]
    held: list[Holding] = []
    for summary, kind in found[:MOST_HOLDERS]:
        reading = account.describe(summary.name)
        resources = reading.request.get("ResourceConfig") if reading else None
        if not isinstance(resources, Mapping):
            continue
        holding = Holding(
            job_name=summary.name,
            instance_type=str(resources.get("InstanceType", "")),
            instances=count if isinstance(count := resources.get("InstanceCount"), int) else 0,
            kind=kind,
            ours=ours(summary.name),
        )
        if holding.instance_type == instance_type:
            held.append(replace(holding, loop=account.tags(summary.arn).get(LOOP_TAG, "")))
    return held


def _holds(summary: JobSummary) -> HoldingKind | None:
    """What a job holds, if anything. One that is being stopped has its instances until it has ended."""
    if summary.status not in TERMINAL:
        return "job"
    return "pool" if summary.pool and summary.pool.status == "Available" else None
