"""What an emulator can be told, and the switches for behaviour that AWS does not document."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

Usage = Literal["training", "warm_pool"]
"""The two quotas of an instance type: instances in training jobs, instances kept in warm pools."""

SwitchValue = bool | int | float | str | None

ROOM = 100
"""Every quota's value when nothing else is said: room for whatever a laptop can emulate."""

ACCOUNT = "123456789012"
MAX_CHAIN_SECONDS = 28 * 24 * 3600
"""Longest life of one pool across all its jobs (developer guide, train-warm-pools)."""


@dataclass(frozen=True)
class Switches:
    """Behaviour that no public source settles: each is a guess with a name, so that both sides can be tried.

    Set one with ``--switch name=value``. Booleans are ``yes`` and ``no``.
    """

    update_unavailable_error: str = field(
        default="ValidationException",
        metadata={"meaning": "error code of an UpdateTrainingJob keep-alive when the pool is not Available"},
    )
    keep_alive_counts_from: str = field(
        default="pool_start",
        metadata={
            "meaning": "where an updated keep-alive is counted from: the pool's start or the update",
            "choices": ("pool_start", "update"),
        },
    )
    describe_shows_updated_keep_alive: bool = field(
        default=True, metadata={"meaning": "Describe's ResourceConfig shows the keep-alive of an update"}
    )
    release_polls: int = field(
        default=2,
        metadata={"meaning": "Describe calls that still see Available after a release; 0 is synchronous"},
    )
    release_seconds: float = field(
        default=5.0, metadata={"meaning": "after this time a release is visible without being polled"}
    )
    long_keep_alive: str = field(
        default="accept",
        metadata={
            "meaning": "keep-alive of 3601 to 21600 s, above the guide's cap and within the API model's",
            "choices": ("accept", "reject"),
        },
    )
    max_runtime_leaves_pool: bool = field(
        default=True, metadata={"meaning": "a job stopped by MaxRuntimeExceeded leaves a pool"}
    )
    failed_leaves_pool: bool = field(
        default=True,
        metadata={
            "meaning": "an AlgorithmError or ClientError leaves a pool (the guide; a controller disagrees)"
        },
    )
    stopped_leaves_pool: bool = field(
        default=True, metadata={"meaning": "StopTrainingJob after the launch leaves a pool (the guide)"}
    )
    quota_short_status: str = field(
        default="absent",
        metadata={
            "meaning": "WarmPoolStatus of a job whose pool did not fit the warm pool quota",
            "choices": ("absent", "Terminated"),
        },
    )
    first_job_in_use: bool = field(
        default=True, metadata={"meaning": "the first, cold job of a chain shows InUse while it runs"}
    )
    vpc_order_matters: bool = field(
        default=False, metadata={"meaning": "the order of subnets and security groups is part of the match"}
    )
    kms_spelling_matters: bool = field(
        default=True,
        metadata={"meaning": "the id of a volume's key and the ARN of the same key are no match"},
    )
    training_plan_matters: bool = field(
        default=True, metadata={"meaning": "the training plan is part of the match"}
    )
    absent_is_false: bool = field(
        default=True, metadata={"meaning": "an absent boolean matches an explicit False"}
    )
    pool_choice: str = field(
        default="oldest",
        metadata={
            "meaning": "which of several matching Available pools a job takes",
            "choices": ("oldest", "newest"),
        },
    )
    warm_pool_post_filter: bool = field(
        default=True, metadata={"meaning": "WarmPoolStatusEquals is applied after a page's rows are picked"}
    )
    last_modified_post_filter: bool = field(
        default=True,
        metadata={"meaning": "the LastModifiedTime filters are applied after the page is picked"},
    )
    client_error_keeps_pool: bool = field(
        default=True,
        metadata={"meaning": "a reused pool survives a ClientError raised before the container started"},
    )
    spot_keep_alive: str = field(
        default="reject",
        metadata={"meaning": "managed spot together with a keep-alive", "choices": ("reject", "accept")},
    )
    training_plan_keep_alive: str = field(
        default="reject",
        metadata={"meaning": "a training plan together with a keep-alive", "choices": ("reject", "accept")},
    )
    image_cached_when_warm: bool = field(
        default=False, metadata={"meaning": "a warm start skips image_pull_seconds"}
    )
    image_pull_seconds: float = field(
        default=0.0, metadata={"meaning": "time that the image's download adds to a start"}
    )
    cache_without_keep_alive: bool = field(
        default=False, metadata={"meaning": "a job without keep-alive has a cache directory too"}
    )
    untouched_quotas: str = field(
        default="listed",
        metadata={
            "meaning": "GetServiceQuota and ListServiceQuotas for quotas that were never changed",
            "choices": ("listed", "omitted"),
        },
    )
    log_escapes: bool = field(
        default=False,
        metadata={
            "meaning": "tab, carriage return and escape are #011, #015 and #033 in log lines, as in public logs"
        },
    )
    moto_pretends: bool = field(
        default=False,
        metadata={
            "meaning": "moto answers what would run something other than a training job, as if it had run"
        },
    )
    enforce_rates: bool = field(
        default=False,
        metadata={"meaning": "throttle by the three rates below; off, because emulated jobs are short"},
    )
    describe_rate: float = field(default=5.0, metadata={"meaning": "DescribeTrainingJob calls a second"})
    create_rate: float = field(default=1.0, metadata={"meaning": "CreateTrainingJob calls a second"})
    list_rate: float = field(default=2.0, metadata={"meaning": "ListTrainingJobs calls a second"})
    p4d_price: float | None = field(
        default=None, metadata={"meaning": "USD an hour of ml.p4d.24xlarge training; none: not in the list"}
    )
    p5_price: float | None = field(
        default=None, metadata={"meaning": "USD an hour of ml.p5.48xlarge training; none: not in the list"}
    )

    def with_text(self, assignment: str) -> Switches:
        """Return these switches with one set from ``name=value``.

        Raises:
            ValueError: No such switch, or not a value of it; the message says which values there are.
        """
        name, _, text = assignment.partition("=")
        known = {f.name: f for f in fields(self)}
        if name not in known:
            raise ValueError(f"no switch {name!r}; there are {', '.join(sorted(known))}")
        choices = known[name].metadata.get("choices", ())
        if choices and text not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}, not {text!r}")
        changed = copy.copy(self)
        object.__setattr__(changed, name, _parse(name, known[name].default, text))
        return changed


def _parse(name: str, default: object, text: str) -> SwitchValue:
    if isinstance(default, bool):
        if text.lower() not in {"yes", "no", "true", "false", "1", "0"}:
            raise ValueError(f"{name} is yes or no, not {text!r}")
        return text.lower() in {"yes", "true", "1"}
    if isinstance(default, str):
        return text
    if text == "none" and default is None:
        return None
    try:
        number = int(text) if isinstance(default, int) else float(text)
    except ValueError:
        raise ValueError(f"{name} is a number, not {text!r}") from None
    if number < 0:
        raise ValueError(f"{name} is not negative")
    return number


def describe_switches() -> list[tuple[str, str, str]]:
    """Return name, default and meaning of every switch, for the documentation."""
    rows = []
    for each in fields(Switches):
        choices = each.metadata.get("choices", ())
        meaning = each.metadata["meaning"] + (f" ({' or '.join(choices)})" if choices else "")
        rows.append((each.name, _shown(each.default), meaning))
    return rows


def _shown(value: object) -> str:
    """Return a switch's value as it is written on the command line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


@dataclass(frozen=True)
class Settings:
    """How an emulator behaves; the defaults suit a demonstration in seconds.

    Attributes:
        cold_start: Seconds of the emulator's clock from Create until the instances are launched.
        warm_start: The same on a reused pool.
        quotas: Applied quotas by instance type and usage; what is not here has room.
        account: The account of every access key that ``accounts`` does not name.
        accounts: Access key to account. An access key of twelve digits is its own account.
        stop_grace: Seconds from SIGTERM to SIGKILL (120 on the service).
        seed: Of the random draws of faults.
        switches: See Switches.
    """

    cold_start: float = 2.0
    warm_start: float = 0.2
    quotas: Mapping[tuple[str, Usage], int] = field(default_factory=dict)
    account: str = ACCOUNT
    accounts: Mapping[str, str] = field(default_factory=dict)
    stop_grace: float = 120.0
    seed: int = 0
    switches: Switches = field(default_factory=Switches)


def parse_quota(text: str) -> tuple[tuple[str, Usage], int]:
    """Read ``ml.g5.xlarge=2`` (warm pool quota) or ``ml.g5.xlarge:training=2``.

    Raises:
        ValueError: Not of this form; the message shows it.
    """
    name, _, value = text.partition("=")
    instance_type, _, usage = name.partition(":")
    if not value.isdigit() or usage not in {"", "training", "warm-pool"} or not instance_type:
        raise ValueError(f"a quota is TYPE=N or TYPE:training=N, not {text!r}")
    return (instance_type, "training" if usage == "training" else "warm_pool"), int(value)
