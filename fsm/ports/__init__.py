"""The Protocols that adapters implement, and the values that cross them.

Nothing here knows AWS or SQLite. Errors that cross a port are those of :mod:`wpfsm.fsm.errors`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, Protocol

from wpfsm.fsm.ports.values import (
    Denial,
    Identity,
    JobPage,
    JobReading,
    JobSummary,
    LogLine,
    LogPage,
    PoolReading,
    QuotaReading,
    RenderSpec,
    Request,
    Resolution,
    Transition,
    Violation,
)

if TYPE_CHECKING:
    from wpfsm.fsm.records import (
        JSON,
        Change,
        Curve,
        Event,
        Intent,
        IntentKind,
        Job,
        Loop,
        LoopHeader,
        Obligation,
        Owner,
        PatchAttempt,
        Price,
        Proposal,
        State,
        Trial,
    )


class TrainingService(Protocol):
    """SageMaker training, as far as a loop needs it.

    Every method raises ``Unknown`` when the outcome is not known, ``ServiceDenied`` when credentials or
    permissions fail, ``Rejected`` when the service refused.
    """

    def identity(self) -> Identity:
        """Account and principal of the credentials."""
        ...

    def violations(self, request: Request) -> Sequence[Violation]:
        """What the service's model refuses in a request. Sends nothing."""
        ...

    def create(self, request: Request) -> str:
        """Submit a job and return its ARN. Raises ``NameTaken`` when the name exists."""
        ...

    def describe(self, name: str) -> JobReading | None:
        """Read a job; None only when the service says that no such job exists."""
        ...

    def tags(self, arn: str) -> Mapping[str, str]:
        """Tags of a job."""
        ...

    def stop(self, name: str) -> None:
        """Ask the service to stop a running job. Raises ``Rejected`` when it is already terminal."""
        ...

    def set_keep_alive(self, name: str, seconds: int) -> None:
        """Set the keep-alive of the pool that this job owns; 0 releases it."""
        ...

    def list_jobs(
        self, *, name_contains: str | None = None, pool_status: str | None = None, status: str | None = None
    ) -> Iterator[JobSummary]:
        """Every matching job, newest first, over every page (an empty page is not the end)."""
        ...

    def job_page(
        self,
        token: str = "",
        *,
        pool_status: str | None = None,
        status: str | None = None,
        created_after: float | None = None,
    ) -> JobPage:
        """One page of the matching jobs, newest first, from where ``token`` says; times in epoch seconds."""
        ...


class Logs(Protocol):
    """The log of a training job."""

    def read(self, job_name: str, cursor: str = "") -> LogPage:
        """Lines after ``cursor``, of all instances; an absent stream is an empty page."""
        ...


class Quotas(Protocol):
    """Service quotas by instance type."""

    def read(self, instance_type: str) -> tuple[QuotaReading | None, QuotaReading | None]:
        """The quotas of training jobs and of training warm pools; None where none is listed."""
        ...


class Prices(Protocol):
    """On-demand training prices."""

    def price(self, region: str, instance_type: str) -> Price | None:
        """Price of one instance; None when unknown."""
        ...


class Permissions(Protocol):
    """What the credentials may do, tried without side effects."""

    def missing(self, request: Request) -> Sequence[Denial]:
        """Actions of a loop of such jobs that a policy simulation does not allow; empty when there are none."""
        ...


class Renderer(Protocol):
    """Turns a loop file and a source snapshot into a CreateTrainingJob request."""

    def prepare(self) -> None:
        """Begin to load what rendering needs, in the background. Optional, idempotent."""
        ...

    def render(self, spec: RenderSpec) -> Request:
        """Upload the source and build the request. Raises ``MissingExtra``, ``Refused`` or ``ServiceError``."""
        ...


class Resolver(Protocol):
    """Asks a package index whether requirements can be installed."""

    def resolve(
        self, folder: str, requirements: str, python: str, environment: Mapping[str, str], seconds: float
    ) -> Resolution:
        """Resolve a requirements file for a Python on Linux; never raises, and never takes much longer than asked.

        Args:
            folder: Where the file is, and relative names in it.
            requirements: Its name in the folder.
            python: Such as ``3.10``.
            environment: The job's own variables, which may name another index.
            seconds: How long it may take.
        """
        ...


class Sources(Protocol):
    """The loop's own snapshots of the user's source, addressed by content."""

    def snapshot(self, folder: str) -> str:
        """Copy a folder and return its digest."""
        ...

    def path(self, digest: str) -> str:
        """Where the files of a snapshot are."""
        ...

    def size(self, digest: str) -> tuple[int, int]:
        """How many files a snapshot has, and how many bytes."""
        ...

    def files(self, digest: str) -> Mapping[str, str]:
        """Text files of a snapshot by relative path."""
        ...

    def derive(self, digest: str, files: Mapping[str, str], without: Collection[str] = ()) -> str:
        """A snapshot with some files replaced and others left out; returns its digest."""
        ...

    def workspace(self, digest: str) -> AbstractContextManager[str]:
        """A writable copy of a snapshot for as long as the context lasts."""
        ...

    def diff(self, old: str, new: str) -> str:
        """Unified diff between two snapshots."""
        ...


class LogArchive(Protocol):
    """The local copy of each job's log, from which diagnoses and ``wpfsm logs`` read."""

    def append(self, job_name: str, lines: Sequence[LogLine]) -> None:
        """Add lines."""
        ...

    def restart(self, job_name: str) -> None:
        """Forget what was kept: the job's log is read again from its beginning."""
        ...

    def save(self, job_name: str) -> None:
        """Keep what was added, so that it outlives this machine: the job has ended, or the turn has."""
        ...

    def tail(self, job_name: str, count: int) -> Sequence[str]:
        """The last lines."""
        ...

    def path(self, job_name: str) -> str:
        """Where the copy is."""
        ...


class PoolLeases(Protocol):
    """The right to use a pool key."""

    def take(self, pool_key: str, loop_id: str, *, lanes: bool = False) -> None:
        """Hold the key until the process ends. Raises ``Held`` when another live loop has it."""
        ...

    def refuse_held(self, pool_key: str, loop_id: str) -> None:
        """Raise ``Held`` when another loop has the key; take nothing."""
        ...


class Notifier(Protocol):
    """Tells whoever asked to be told. Never fails a loop."""

    def notify(self, what: str, loop: Loop, text: str) -> None:
        """``what`` is closed, handoff, pool_lost or unconfirmed."""
        ...


class PatchCommand(Protocol):
    """A program of the user's that gets the hand-off packet and may edit the source."""

    def run(self, command: Sequence[str], packet: Mapping[str, JSON], folder: str, seconds: float) -> int:
        """Run it in ``folder`` with the packet on stdin; returns its exit code."""
        ...


class Clock(Protocol):
    """Time, injected."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, or return early when somebody asked the controller to stop.

        May end the turn instead, with :class:`wpfsm.fsm.errors.Suspended`: every pause is a point where the
        activity may end and be run again from its beginning, as after a crash.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Wait as :meth:`pause` does, and in any case here: for a time that one process must measure."""
        ...


StopReason = Literal["", "interrupted", "terminated", "hung up"]
"""SIGINT, SIGTERM, or SIGHUP: the terminal was closed."""


class StopRequest(Protocol):
    """What signals and ``wpfsm stop`` set."""

    @property
    def reason(self) -> StopReason:
        """Why the controller should stop; empty while it should not."""
        ...


class Store(Protocol):
    """The rows of one loop, for its one owner. Every method raises ``Fenced`` once the owner has changed."""

    def loop(self) -> Loop:
        """The loop row."""
        ...

    def lanes(self) -> Sequence[Loop]:
        """Every lane of the group, by number; the loop alone where it has no lanes."""
        ...

    def heard_of(self) -> Mapping[int, float]:
        """When each lane's controller was last heard of, by the lane's number."""
        ...

    def group_jobs(self) -> Sequence[Job]:
        """Every job of every lane, by number. Only the lane that submitted a job writes its row."""
        ...

    def group_obligations(self) -> Sequence[Obligation]:
        """Every obligation of every lane, by the job's name."""
        ...

    def trials(self) -> Sequence[Trial]:
        """Every trial of every lane, by number."""
        ...

    def trial(self, number: int) -> Trial:
        """One trial, whose number another row holds. Raises ``LookupError`` when there is none."""
        ...

    def jobs(self, *, after: int = 0) -> Sequence[Job]:
        """Every job with a number above ``after``, by number."""
        ...

    def last_job(self) -> Job | None:
        """The newest job."""
        ...

    def job(self, number: int) -> Job | None:
        """One job."""
        ...

    def job_named(self, name: str) -> Job | None:
        """One job by name; None when this loop has none of that name."""
        ...

    def intents(self, *, open_only: bool = True) -> Sequence[Intent]:
        """Intents, oldest first."""
        ...

    def intents_of(self, job_name: str, kind: IntentKind) -> Sequence[Intent]:
        """Every intent of one kind for one job, answered or not, oldest first."""
        ...

    def obligations(self, *, owed_only: bool = True) -> Sequence[Obligation]:
        """Obligations, oldest first."""
        ...

    def obligation(self, job_name: str) -> Obligation | None:
        """What one job may have left, discharged or not; None when it was never intended."""
        ...

    def events(self) -> Sequence[Event]:
        """The history."""
        ...

    def rendered(self, source_digest: str) -> Request | None:
        """The base request of a source digest, if it was rendered before."""
        ...

    def remembered(self, fingerprint: str) -> Sequence[PatchAttempt]:
        """Failure memory over every loop of this database, newest first."""
        ...

    def proposals(self, *, open_only: bool = True) -> Sequence[Proposal]:
        """What was proposed from outside, oldest first."""
        ...

    def stop_requested(self) -> bool:
        """Whether ``wpfsm stop`` was asked for."""
        ...

    def commit(self, change: Change, *, state: State | None = None) -> Loop:
        """One transaction: rows, event and (with ``state``) the transition; returns the loop as it now is.

        Raises ``Overtaken`` when the change depends on siblings (``expects``) that have moved since.
        """
        ...

    def save_rendered(self, source_digest: str, request: Request) -> None:
        """Keep a base request."""
        ...

    def beat(self, now: float) -> None:
        """Refresh the heartbeat of the lease."""
        ...

    def rest(self, look_at: float, now: float) -> None:
        """Note that the owner goes away until ``look_at``, when the next turn is due."""
        ...


class History(Protocol):
    """What people and programs read: any loop, by anyone, without owning it.

    Every method raises ``StoreError`` when the database cannot be read.
    """

    def loops(self, limit: int = 1000, *, unfinished: bool = False) -> Sequence[LoopHeader]:
        """Loops, newest first."""
        ...

    def find(self, which: str, *, acting: bool = False) -> Loop:
        """A loop by its id; else by its name, which means the newest one; else by a prefix of exactly one id.

        With ``acting``, a name means the one loop of it that is not closed, if there is one. Raises ``NotFound``.
        """
        ...

    def count_named(self, name: str) -> int:
        """How many loops have this name."""
        ...

    def lanes(self, loop_id: str) -> Sequence[Loop]:
        """The lanes of a group by number; none of a loop without lanes."""
        ...

    def waiting_on(self, pool_key: str, besides: str, now: float) -> Loop | None:
        """Another loop whose hand-off holds a pool of this key at this moment."""
        ...

    def newest(self) -> Loop | None:
        """The newest loop."""
        ...

    def unfinished(self) -> Sequence[Loop]:
        """Loops that are not Closed, newest first."""
        ...

    def jobs(self, loop_id: str) -> Sequence[Job]:
        """Jobs of a loop, by number."""
        ...

    def proposals(self, loop_id: str) -> Sequence[Proposal]:
        """What was proposed to a loop from outside, by number."""
        ...

    def proposal(self, loop_id: str, number: int) -> Proposal:
        """One of them. Raises ``LookupError`` when there is none."""
        ...

    def job_named(self, name: str) -> Job | None:
        """A job by its name, of any loop."""
        ...

    def rendered(self, loop_id: str, key: str) -> dict[str, JSON]:
        """A base request of a source digest and entry (``digest:entry``); empty when none was rendered."""
        ...

    def curves(self, loop_id: str) -> Sequence[Curve]:
        """What the jobs of a loop reported, by job and metric."""
        ...

    def trials(self, loop_id: str) -> Sequence[Trial]:
        """Trials of a loop, by number."""
        ...

    def trial(self, loop_id: str, number: int) -> Trial:
        """One of them. Raises ``LookupError`` when there is none."""
        ...

    def intents(self, loop_id: str) -> Sequence[Intent]:
        """Intents of a loop."""
        ...

    def obligations(self, loop_id: str) -> Sequence[Obligation]:
        """Obligations of a loop."""
        ...

    def owed(self) -> Sequence[Obligation]:
        """Open obligations of every loop."""
        ...

    def owed_jobs(self, loop_id: str) -> list[str]:
        """Names of the jobs of a loop whose release is not read back."""
        ...

    def events(self, loop_id: str, since: int = 0) -> Iterator[Event]:
        """Events of a loop after ``since``, in order."""
        ...

    def last_event(self, loop_id: str) -> Event | None:
        """The newest event of a loop."""
        ...

    def owner(self, loop_id: str) -> Owner | None:
        """Who drives the loop, or drove it last."""
        ...

    def stop_requested(self, loop_id: str) -> bool:
        """Whether word was left for the loop's controller to stop, and nobody has resumed the loop since."""
        ...


class Progress(Protocol):
    """Whoever watches: a terminal, a JSON stream, nobody. Must not fail and must not wait."""

    def state(self, loop: Loop, why: str) -> None:
        """A transition was committed."""
        ...

    def job(self, job: Job, reading: JobReading | None) -> None:
        """A job was read again."""
        ...

    def log(self, line: LogLine) -> None:
        """A line of the running job's log."""
        ...

    def metric(self, name: str, value: float) -> None:
        """A live value of the loop's metric."""
        ...

    def waiting(self, what: str, until: float | None = None) -> None:
        """What the controller waits for."""
        ...

    def trouble(self, error: Exception) -> None:
        """Something that should not have happened, for the log."""
        ...


__all__ = [
    "Clock",
    "Denial",
    "History",
    "Identity",
    "JobPage",
    "JobReading",
    "JobSummary",
    "LogArchive",
    "LogLine",
    "LogPage",
    "Logs",
    "Notifier",
    "PatchCommand",
    "Permissions",
    "PoolLeases",
    "PoolReading",
    "Prices",
    "Progress",
    "QuotaReading",
    "Quotas",
    "RenderSpec",
    "Renderer",
    "Request",
    "Resolution",
    "Resolver",
    "Sources",
    "StopReason",
    "StopRequest",
    "Store",
    "TrainingService",
    "Transition",
    "Violation",
]
