"""The first request of a loop file that brings its own: as it will be sent, and what the service would refuse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wpfsm.adapters.aws.model_validation import violations
from wpfsm.adapters.aws.own_request import own_request
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import JSON, Trial
from wpfsm.fsm.request.compose import compose, free_members
from wpfsm.fsm.request.lock import LockedFields
from wpfsm.fsm.request.rules import contradictions, objections
from wpfsm.fsm.states.preflight.checks import Finding, refusal
from wpfsm.fsm.strategies import Strategy
from wpfsm.fsm.strategies.registry import missing_extra


@dataclass(frozen=True)
class OwnRequest:
    """What a request that the user brings shows; empty for a loop file whose request is rendered."""

    findings: tuple[Finding, ...] = ()
    lock: LockedFields | None = None


def first_request(file: LoopFile, path: Path, strategy: Strategy) -> OwnRequest:
    """The first request as it will be sent, and what is wrong with it; one that is rendered Preflight checks."""
    if not file.job.request:
        return OwnRequest()
    try:
        base, left_out = own_request(path.parent / file.job.request)
    except Refused as error:
        return OwnRequest((Finding("refuse", "request", error.message, error.fix),))
    proposal = next(iter(strategy.preview()), None) if not missing_extra(file.strategy) else None
    loop_id = f"{file.name}-000000"
    trial = Trial(
        loop_id,
        1,
        dict(proposal.params) if proposal else {},
        proposal.label if proposal else "",
        environment=dict(proposal.environment) if proposal else {},
    )
    members = free_members(
        file,
        base,
        loop_id=loop_id,
        number=1,
        trial=trial,
        params={**file.job.hyperparameters, **trial.params},
        keep_alive=float(file.pool.keep_alive or 0) if file.keeps_pool else 0.0,
    )
    request = compose(base, members)
    lock = LockedFields.of(request, file.pool.session_tag_keys)
    contradicted, _ = contradictions(file, lock)
    found = [refusal(each) for each in (*objections(request, violations, own=True), *contradicted)]
    if left_out:
        found.append(
            Finding(
                "warn",
                "request",
                f"job.request: left out what only the service reports: {', '.join(left_out)}",
                "nothing is needed; wpfsm init --from-job NAME writes a request without them",
            )
        )
    return OwnRequest(tuple(found), lock)


def lock_of(file: LoopFile, sent: LockedFields | None) -> JSON:
    """The locked settings: those of the request that the user brings, else as the file states them.

    A rendered request shows its own when it is rendered, and Preflight compares the two.
    """
    pool = file.pool.model_dump(mode="json")
    free = ("keep_alive", "allow_long_keep_alive", "price_per_hour")
    stated = {name: value for name, value in pool.items() if name not in free}
    if sent is None:
        return stated
    vpc: JSON = {"security_groups": list(sent.security_groups), "subnets": list(sent.subnets)}
    return {
        **stated,
        "role": sent.role_arn,
        "instance_type": sent.instance_type,
        "instance_count": sent.instance_count,
        "volume_gb": sent.volume_gb,
        "kms_key": sent.kms_key or None,
        "vpc": vpc if sent.security_groups or sent.subnets else None,
        "encrypt_traffic": sent.encrypt_traffic,
        "network_isolation": sent.network_isolation,
        "session_tag_keys": list(sent.session_tag_keys or ()),
    }
