"""The values that cross a port: what was read, what is asked for, and what a price or a quota says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wpfsm.fsm.records import JSON

Request = Mapping[str, "JSON"]
"""A CreateTrainingJob request, as botocore takes it."""


@dataclass(frozen=True)
class QuotaReading:
    """One quota as Service Quotas states it.

    Attributes:
        name: its exact name.
        code: its code, such as ``L-8E6F4665``; None when not said.
        value: instances.
        source: applied to this account, or the service's default because nothing was applied.
    """

    name: str
    code: str | None
    value: float
    source: Literal["applied", "default"]


@dataclass(frozen=True)
class Identity:
    """Whose credentials we use."""

    account: str
    arn: str


@dataclass(frozen=True)
class PoolReading:
    """WarmPoolStatus of one job. Absent members are None, and mean "not said"."""

    status: str
    retained_seconds: float | None = None
    reused_by: str | None = None


@dataclass(frozen=True)
class Transition:
    """One entry of SecondaryStatusTransitions."""

    status: str
    started_at: float
    ended_at: float | None
    message: str


@dataclass(frozen=True)
class JobReading:
    """What DescribeTrainingJob said. Times in epoch seconds, None when not said."""

    name: str
    arn: str
    status: str
    secondary_status: str
    failure_reason: str = ""
    created_at: float | None = None
    training_started_at: float | None = None
    ended_at: float | None = None
    training_seconds: float | None = None
    billable_seconds: float | None = None
    transitions: tuple[Transition, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    pool: PoolReading | None = None
    artifact: str = ""
    """Where the service put the model artifact; empty when it did not say."""
    request: Request = field(default_factory=dict)
    """The members of the original request that the service gives back."""


@dataclass(frozen=True)
class JobSummary:
    """One row of ListTrainingJobs."""

    name: str
    arn: str
    status: str
    created_at: float
    ended_at: float | None
    pool: PoolReading | None


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log."""

    at: float
    stream: str
    text: str


@dataclass(frozen=True)
class LogPage:
    """Lines since a cursor. ``end`` is True when the service had nothing newer."""

    lines: tuple[LogLine, ...]
    cursor: str
    end: bool


@dataclass(frozen=True)
class Violation:
    """One member of a request that is outside the bounds of the service's model.

    Attributes:
        member: Its path, such as ``ResourceConfig.InstanceType``.
        value: The value, or its size, in words.
        constraint: What is wrong with it, as the rest of the sentence.
    """

    member: str
    value: str
    constraint: str


@dataclass(frozen=True)
class JobPage:
    """A page of a listing.

    Attributes:
        jobs: Its rows, which may be none.
        token: Where the next page begins; empty at the end.
        full: Whether it has as many rows as a page can have.
    """

    jobs: tuple[JobSummary, ...]
    token: str
    full: bool


@dataclass(frozen=True)
class Denial:
    """An action that a policy simulation does not allow.

    Attributes:
        action: Its name, with the condition or the reason.
        lacking: Context keys that the policies ask for and no simulation can give (a source address, a second
            factor): then it may be allowed all the same.
    """

    action: str
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class RenderSpec:
    """All that the first request of a source digest is made from."""

    name: str
    region: str
    account: str
    bucket: str
    """Where source and artifacts go unless the loop file says otherwise."""
    source_path: str
    loop_file: Mapping[str, JSON]
    entry: str
    requirements: str
    keep_packages: bool = False
    """Whether the launcher stands in for the entry script and keeps what the requirements install."""
    like: Request | None = None
    """What another source of this loop, with the same entry and requirements file, was rendered to."""


@dataclass(frozen=True)
class Resolution:
    """What a package index said to a requirements file.

    Attributes:
        names: Every distribution that would be installed, by canonical name; None when that is not known.
        problem: Why nothing can be installed; empty when it can, or when that is not known.
        distribution: The one that the problem is about, by canonical name.
    """

    names: frozenset[str] | None
    problem: str = ""
    distribution: str = ""
