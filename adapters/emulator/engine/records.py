"""What the emulator remembers of a training job and of a pool: plain, frozen, JSON-ready."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from wpfsm.adapters.emulator.runner.base import JSONValue

Request = dict[str, JSONValue]
Place = tuple[str, str]
"""Account and region."""


class Status(StrEnum):
    """TrainingJobStatus."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def terminal(self) -> bool:
        """Whether the job has ended."""
        return self not in {Status.IN_PROGRESS, Status.STOPPING}


class Secondary(StrEnum):
    """The SecondaryStatus values that a job goes through here."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"


class Phase(StrEnum):
    """What the emulator does for the job at this moment, whatever the status says."""

    STARTING = "starting"
    PREPARING = "preparing"
    PULLING = "pulling"
    RUNNING = "running"
    FINISHING = "finishing"
    ENDED = "ended"


class PoolStatus(StrEnum):
    """WarmPoolStatus.Status."""

    AVAILABLE = "Available"
    TERMINATED = "Terminated"
    REUSED = "Reused"
    IN_USE = "InUse"


@dataclass(frozen=True)
class Transition:
    """One row of SecondaryStatusTransitions."""

    status: str
    start: float
    message: str
    end: float | None = None


@dataclass(frozen=True)
class Metric:
    """The last value of one MetricDefinition; ``time`` is in seconds since the epoch."""

    name: str
    value: float
    time: float


@dataclass(frozen=True)
class Fate:
    """What faults have in store for a job; decided when it is created, so that a run can be repeated.

    Attributes:
        failure: FailureReason of the failure to come, None for none.
        fails_in: The phase in which it fails.
        fails_after: Seconds into that phase.
        slow_start: Seconds added to the start.
        late_logs: Seconds for which its log lines stay invisible.
        absent_pool: Seconds after its end for which WarmPoolStatus is absent.
        pool_event: ``patch_update`` or ``stolen_pool``, done to its pool once Available, or ``pool_failed``,
            in the place of becoming Available.
        pool_event_after: Seconds after the pool became Available.
    """

    failure: str | None = None
    fails_in: Phase = Phase.RUNNING
    fails_after: float = 0.0
    slow_start: float = 0.0
    late_logs: float = 0.0
    absent_pool: float = 0.0
    pool_event: str | None = None
    pool_event_after: float = 0.0


@dataclass(frozen=True)
class JobEnd:
    """How a job ends once its artefacts are uploaded."""

    status: Status
    secondary: Secondary
    reason: str | None = None


@dataclass(frozen=True)
class Job:
    """One training job. Times are seconds since the epoch on the emulator's clock.

    Attributes:
        request: The CreateTrainingJob request.
        due: When the engine must act again without any other stimulus.
        warm: It was placed on a pool that was Available.
        launched: Its instances exist.
        keep_alive: In seconds, as last updated; 0 for none.
        shown_keep_alive: What Describe shows in ResourceConfig.
        updates: What UpdateTrainingJob put in the place of members of the request.
        session_tags: The keys of its creator's session tags, sorted.
        pool: The pool it runs on or owns, None without keep-alive.
        pool_status: Its WarmPoolStatus, None when absent.
        retained_from: When its pool began to be billed without a job.
        foreign: A job of somebody else that took a pool; no process stands behind it.
    """

    account: str
    region: str
    name: str
    arn: str
    request: Request
    created: float
    modified: float
    status: Status = Status.IN_PROGRESS
    secondary: Secondary = Secondary.STARTING
    transitions: tuple[Transition, ...] = ()
    phase: Phase = Phase.STARTING
    due: float | None = None
    attempt: int = 1
    warm: bool = False
    launched: bool = False
    foreign: bool = False
    started: float | None = None
    ended: float | None = None
    outcome: JobEnd | None = None
    reason: str | None = None
    metrics: tuple[Metric, ...] = ()
    model: str | None = None
    keep_alive: int = 0
    shown_keep_alive: int | None = None
    updates: Request = field(default_factory=dict)
    session_tags: tuple[str, ...] = ()
    pool: int | None = None
    pool_status: PoolStatus | None = None
    retained_from: float | None = None
    retained_seconds: int | None = None
    reused_by: str | None = None
    fate: Fate = field(default_factory=Fate)

    @property
    def key(self) -> str:
        """The name by which runner and log sink know the job."""
        return f"{self.account}/{self.region}/{self.name}"

    @property
    def place(self) -> Place:
        """Account and region."""
        return self.account, self.region

    @property
    def resources(self) -> Request:
        """The request's ResourceConfig."""
        return cast("Request", self.request.get("ResourceConfig", {}))

    @property
    def instances(self) -> dict[str, int]:
        """Instance type to count; several types only in a heterogeneous cluster."""
        groups = cast("list[Request]", self.resources.get("InstanceGroups") or [self.resources])
        counts: dict[str, int] = {}
        for each in groups:
            name, count = cast("str", each["InstanceType"]), cast("int", each["InstanceCount"])
            counts[name] = counts.get(name, 0) + count
        return counts

    def moved(self, secondary: Secondary, message: str, at: float) -> Job:
        """Return the job with a further secondary status transition."""
        closed = (*self.transitions[:-1], *(dataclasses.replace(t, end=at) for t in self.transitions[-1:]))
        return dataclasses.replace(
            self,
            secondary=secondary,
            transitions=(*closed, Transition(secondary, at, message)),
            modified=at,
        )

    def said(self, message: str, at: float) -> Job:
        """Return the job with another message on its present transition."""
        last = dataclasses.replace(self.transitions[-1], message=message)
        return dataclasses.replace(self, transitions=(*self.transitions[:-1], last), modified=at)


@dataclass(frozen=True)
class PoolEvent:
    """One line of a pool's history."""

    time: float
    event: str
    job: str


@dataclass(frozen=True)
class Pool:
    """One cluster that is, was, or will be kept between jobs.

    Attributes:
        match: The match key of the job that launched it; see ``match.py``.
        launched: When its instances were launched, from which the 28 days count.
        owner: The newest job on it.
        status: InUse, Available or Terminated.
        available_from: When it last became Available.
        expires: When its keep-alive ends.
        release_polls: Describe calls that still see it Available after a release; None when not released.
        doomed: What a fault will do to it, and when.
        history: Everything that happened to it, in order; filled only by ``Store.all_pools``.
    """

    number: int
    account: str
    region: str
    match: str
    instance_type: str
    instance_count: int
    launched: float
    owner: str
    status: PoolStatus = PoolStatus.IN_USE
    available_from: float | None = None
    expires: float | None = None
    release_polls: int | None = None
    doomed: tuple[str, float] | None = None
    history: tuple[PoolEvent, ...] = ()

    @property
    def place(self) -> Place:
        """Account and region."""
        return self.account, self.region


def dump(record: Job | Pool) -> str:
    """Serialise a record without what is stored beside it: a job's request, a pool's history."""
    document = {name: value for name, value in vars(record).items() if name not in {"request", "history"}}
    return json.dumps(document, default=vars, separators=(",", ":"))


def load_job(document: str, request: str) -> Job:
    """Read a job back."""
    raw = json.loads(document)
    raw["status"], raw["secondary"] = Status(raw["status"]), Secondary(raw["secondary"])
    raw["phase"] = Phase(raw["phase"])
    raw["pool_status"] = PoolStatus(raw["pool_status"]) if raw["pool_status"] else None
    raw["transitions"] = tuple(Transition(**t) for t in raw["transitions"])
    raw["session_tags"] = tuple(raw["session_tags"])
    raw["metrics"] = tuple(Metric(**m) for m in raw["metrics"])
    raw["fate"] = Fate(**{**raw["fate"], "fails_in": Phase(raw["fate"]["fails_in"])})
    if raw["outcome"]:
        o = raw["outcome"]
        raw["outcome"] = JobEnd(Status(o["status"]), Secondary(o["secondary"]), o["reason"])
    return Job(request=json.loads(request), **raw)


def load_pool(document: str, history: tuple[PoolEvent, ...] = ()) -> Pool:
    """Read a pool back."""
    raw = json.loads(document)
    raw["status"] = PoolStatus(raw["status"])
    raw["doomed"] = tuple(raw["doomed"]) if raw["doomed"] else None
    return Pool(history=history, **raw)
