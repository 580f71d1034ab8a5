"""The rows of a loop: what is persisted, and nothing else.

Times are seconds since the epoch (UTC), durations are seconds, money is US dollars. ``None`` means
unknown; it is never read as zero or as "gone".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from wpfsm.fsm.records.price import Price

if TYPE_CHECKING:
    from wpfsm.fsm.failures.model import Diagnosis
    from wpfsm.fsm.records.handoff import Handoff
    from wpfsm.fsm.request.lock import LockedFields

JSON: TypeAlias = "bool | int | float | str | None | Sequence[JSON] | Mapping[str, JSON]"
Value: TypeAlias = bool | int | float | str | None
"""What a hyperparameter may be."""


def as_mapping(value: JSON) -> Mapping[str, JSON]:
    """A member that should be an object; an empty one where it is anything else."""
    return value if isinstance(value, Mapping) else {}


class State(StrEnum):
    """The six working states and the final one."""

    PREFLIGHT = "Preflight"
    SUBMITTING = "Submitting"
    RUNNING = "Running"
    DIAGNOSING = "Diagnosing"
    VERIFYING = "Verifying"
    RELEASING = "Releasing"
    CLOSED = "Closed"


class Outcome(StrEnum):
    """How a loop ended; :data:`EXIT_CODES` gives the exit code."""

    GOAL_MET = "goal_met"
    COMPLETED = "completed"
    NO_GOAL = "no_goal"
    FAILED = "failed"
    REFUSED = "refused"
    DENIED = "denied"
    HELD = "held"
    CONTESTED = "contested"
    LIMIT = "limit"
    STOPPED = "stopped"
    ABANDONED = "abandoned"
    TRANSIENT = "transient"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"
    LET_GO = "let_go"
    """Of a lane: no trial was left for it, and the others go on."""


EXIT_CODES: Mapping[Outcome, int] = {
    Outcome.GOAL_MET: 0,
    Outcome.COMPLETED: 0,
    Outcome.NO_GOAL: 1,
    Outcome.FAILED: 1,
    Outcome.CONTESTED: 1,
    Outcome.STOPPED: 1,
    Outcome.ABANDONED: 1,
    Outcome.REFUSED: 3,
    Outcome.DENIED: 4,
    Outcome.HELD: 5,
    Outcome.LIMIT: 20,
    Outcome.TRANSIENT: 75,
    Outcome.INTERRUPTED: 130,
    Outcome.TERMINATED: 143,
    Outcome.LET_GO: 0,
}

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})
"""TrainingJobStatus values after which a job does not change. An unknown value is not terminal."""

POOL_OVER = frozenset({"Reused", "Terminated"})
"""WarmPoolStatus values after which this job's pool does not come back, and its retained time is final."""


@dataclass(frozen=True)
class Owner:
    """The controller that drives a loop."""

    host: str
    pid: int
    since: float
    heartbeat: float


@dataclass(frozen=True)
class ReceiptLine:
    """What was read of one job that could have left a pool, and when."""

    job: str
    evidence: str
    at: float | None


@dataclass(frozen=True)
class Receipt:
    """The proof, by read-back, that nothing of a loop is billing any more."""

    at: float
    account: str
    region: str
    endpoint_url: str
    jobs: tuple[ReceiptLine, ...]


@dataclass(frozen=True)
class JobPatch:
    """What was changed in answer to a job's failure, as the rows keep it.

    Attributes:
        kind: The fix that made it, as a rule's ``do`` names it; ``edit`` for a person's or an agent's.
        summary: What changes, in one line.
        key: Equal for the same change; a circuit breaker and the failure memory count by it.
        why: Why this one.
        rule: The row of ``on_failure`` that asked for it; empty for an edit.
        hyperparameters: New values.
        replaces: What the loop file gave for them then.
        files: Names of the source files that changed.
        diff: The change of the source, as a unified diff.
        base: Snapshot of the source before.
        result: Snapshot after.
        given: Snapshot of what the user gave; empty when a rule made the patch.
        wait_seconds: How long the next submission waits.
        action: ``release_pool`` releases the idle pool first.
    """

    kind: str
    summary: str
    key: str
    why: str = ""
    rule: str = ""
    hyperparameters: Mapping[str, Value] = field(default_factory=dict)
    replaces: Mapping[str, JSON] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    diff: str = ""
    base: str = ""
    result: str = ""
    given: str = ""
    wait_seconds: float = 0
    action: Literal["retry", "release_pool"] = "retry"


@dataclass(frozen=True)
class Loop:
    """One run of ``wpfsm start``."""

    id: str
    name: str
    state: State
    backend: str
    region: str
    created_at: float
    updated_at: float
    loop_file: Mapping[str, JSON]
    """The effective loop file, frozen: what every resume reads."""
    loop_path: str = ""
    overrides: tuple[str, ...] = ()
    """``--set`` settings of ``wpfsm start``, applied again when the file is read again."""
    account: str = ""
    endpoint_url: str = ""
    why: str = ""
    outcome: Outcome | None = None
    source_digest: str = ""
    lock: LockedFields | None = None
    pool_key: str = ""
    pool_owner: str = ""
    """Name of the newest job that may hold the pool; empty before the first one."""
    keep_alive: float = 0
    """Keep-alive of the pool as last asked of the service, in seconds."""
    hold_until: float | None = None
    """While a hand-off is open: when the service releases the pool by itself."""
    handoff: Handoff | None = None
    price: Price | None = None
    receipt: Receipt | None = None
    wait_until: float | None = None
    """A retry's backoff: no submission before this time."""
    waits: Mapping[str, JSON] = field(default_factory=dict)
    """Since when the present state waits, by what for: patience that outlives a turn and a crash."""
    look_at: float | None = None
    """When the next turn is due; None while one runs, or where nobody takes turns."""
    generation: int = 0
    """Which execution of the engine drives the loop, counted from 1; 0 without an engine."""
    closed_at: float | None = None
    epoch: int = 0
    version: int = 0
    lane_of: str = ""
    """Of every lane but the first: the id of its group, which is that of the first lane."""
    lane: int = 0
    """Which lane of its group this is, from 1; 0 for a loop without lanes."""
    tally: int = 0
    """Of the first lane: counts the changes of the group that depend on what the siblings did."""

    @property
    def group(self) -> str:
        """The id under which the rows of all lanes are kept; a loop without lanes is its own group."""
        return self.lane_of or self.id


TrialState = Literal["pending", "running", "completed", "failed", "stopped"]
Verdict = Literal["", "kept", "discarded", "inconclusive", "failed", "stopped"]


@dataclass(frozen=True)
class Trial:
    """One point that the strategy asked for."""

    loop_id: str
    number: int
    params: Mapping[str, Value]
    label: str
    state: TrialState = "pending"
    smoke: bool = False
    carry_checkpoint: bool = False
    repeat: int = 0
    source: str = ""
    """A source folder of its own (recipes); empty for the job's."""
    entry: str = ""
    source_digest: str = ""
    environment: Mapping[str, JSON] = field(default_factory=dict)
    metric: float | None = None
    fingerprint: str = ""
    phase: int = 1
    """Which strategy of the loop file's list asked for it, from 1."""
    base: int | None = None
    """Number of the trial whose hyperparameters and source it started from; None for the loop file's."""
    taken_from: int | None = None
    """Number of the trial whose result it took over, because that ran the same point; then it has no job."""
    taken_loop: str = ""
    """The loop of ``taken_from``; empty for this one."""
    repeat_of: int | None = None
    """Number of the trial that it runs once more, to measure the noise."""
    proposal: int | None = None
    """Number of the proposal that it came from; None for one that the strategy asked for."""
    note: str = ""
    """The hypothesis, as whoever proposed it wrote it."""
    verdict: Verdict = ""
    """What became of it against the best so far; empty until it is known, and where nothing is compared."""
    verdict_why: str = ""
    lane: int = 0
    """The lane that runs it; 0 in a loop without lanes."""


@dataclass(frozen=True)
class Proposal:
    """A trial that comes from outside the strategy, or the word that no further one comes.

    It is written by whoever asks, and from then on only its status, answer and trial change.
    """

    loop_id: str
    number: int
    at: float
    kind: Literal["trial", "skip", "done"]
    """``skip`` gives up the failed trial of a hand-off; ``done`` says that no further one comes."""
    params: Mapping[str, Value] = field(default_factory=dict)
    source_digest: str = ""
    """Snapshot of the source that it brings; empty for that of its base."""
    base: str = ""
    """``best``, ``last``, a trial's number, or empty for what the strategy's ``keep`` says."""
    note: str = ""
    again: bool = False
    """Run it even though the same point was tried before."""
    status: Literal["open", "taken", "refused"] = "open"
    answer: str = ""
    """Why it was refused."""
    trial: int | None = None
    """The trial that it became."""


@dataclass(frozen=True)
class Job:
    """One submitted training job, as far as it is known."""

    loop_id: str
    number: int
    trial: int
    name: str
    params: Mapping[str, Value]
    request: Mapping[str, JSON]
    request_digest: str
    source_digest: str
    keep_alive: float
    max_runtime: float
    arn: str = ""
    status: str = "Requested"
    """``Requested`` until the service accepted it, ``Rejected`` when it did not, else TrainingJobStatus."""
    secondary_status: str = ""
    failure_reason: str = ""
    stopped_for: str = ""
    """Why wpfsm stopped it: ``silence``, ``early_stop``, ``limit`` or ``release``."""
    created_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    startup_seconds: float | None = None
    training_seconds: float | None = None
    billable_seconds: float | None = None
    retained_seconds: float | None = None
    pool_status: str = ""
    """WarmPoolStatus.Status as last read; empty when the service did not say."""
    pool_ended_at: float | None = None
    reused_by: str = ""
    reuse_of: str = ""
    """Name of the job whose pool this one took over, once the service said so."""
    start: Literal["cold", "warm"] | None = None
    metrics: Mapping[str, JSON] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    patch: JobPatch | None = None
    seen_at: float | None = None
    log_cursor: str = ""
    transitions: tuple[JSON, ...] = ()
    install_seconds: float | None = None
    """From the first line of the installation to the script, by the log; 0 when nothing was installed."""
    upload_seconds: float | None = None
    """Of artifacts, as the service's transitions tell."""
    lane: int = 0
    """The lane that submitted it, and that alone writes this row; 0 in a loop without lanes."""
    claims: str = ""
    """In a group: the job whose Available pool this one's create counted on. A token, for the service may pick another."""

    @property
    def is_terminal(self) -> bool:
        """Whether the service will not change the job any more."""
        return self.status in TERMINAL

    @property
    def may_hold_pool(self) -> bool:
        """Whether this job could be the pool's owner as far as its row tells."""
        return self.keep_alive > 0 and bool(self.arn) and self.pool_status not in POOL_OVER


IntentKind = Literal["create", "update", "stop"]


@dataclass(frozen=True)
class Curve:
    """What one job reported of one metric, each report with its time."""

    loop_id: str
    job: int
    """The job's number."""
    metric: str
    reports: int
    """How many reports the log had; the points are every n-th of them where they were many."""
    points: tuple[tuple[int, float, float | None], ...]
    """Number of the report from 1, when it was printed, and its value; None for one that is not finite."""


@dataclass(frozen=True)
class Intent:
    """The row written before a write to the service."""

    loop_id: str
    kind: IntentKind
    job_name: str
    number: int
    """Counts the intents of one kind for one job, from 1."""
    epoch: int
    argument: str
    """Request digest of a create, keep-alive seconds of an update, reason of a stop."""
    sent_at: float | None = None
    """When it was last sent; None until then. An intent that was sent has an unknown outcome until answered."""
    status: Literal["open", "done", "refused"] = "open"
    answer: str = ""
    lane: int = 0


@dataclass(frozen=True)
class Obligation:
    """A job that may have left a billing pool behind."""

    loop_id: str
    job_name: str
    account: str
    region: str
    endpoint_url: str
    created_at: float
    status: Literal["owed", "discharged"] = "owed"
    seen: bool = False
    """Whether the service ever showed us the job."""
    sent_at: float | None = None
    evidence: str = ""
    discharged_at: float | None = None
    lane: int = 0


@dataclass(frozen=True)
class Event:
    """One line of a loop's history. ``seq`` counts from 1 without a gap."""

    loop_id: str
    seq: int
    at: float
    kind: str
    source: str
    target: str
    why: str
    data: Mapping[str, JSON] = field(default_factory=dict)
    lane: int = 0
    """The lane to which it happened; the lanes of a group have one history."""


@dataclass(frozen=True)
class PatchAttempt:
    """Failure memory: what was tried against a fingerprint, and what came of it."""

    fingerprint: str
    loop_id: str
    job_name: str
    class_: str
    patch_key: str
    patch: JobPatch
    outcome: Literal["pending", "worked", "failed"]
    at: float


@dataclass(frozen=True)
class Change:
    """What one transaction writes. Rows replace the row of the same key."""

    kind: str
    """The event's name; a transition's name when the state changes."""
    why: str
    data: Mapping[str, JSON] = field(default_factory=dict)
    loop: Mapping[str, object] = field(default_factory=dict)
    """Fields of the loop row that change, by name; the state is set by the transition alone."""
    trials: tuple[Trial, ...] = ()
    jobs: tuple[Job, ...] = ()
    intents: tuple[Intent, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    remembered: tuple[PatchAttempt, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    curves: tuple[Curve, ...] = ()
    at: float = 0
    """When, by the loop's clock."""
    quiet: bool = False
    """No event row: a heartbeat or a refreshed reading, which history does not need."""
    together: bool = False
    """It depends on what the siblings of a lane have done: a draw, a claim, an end. See ``expects``."""
    expects: int | None = None
    """The group's tally when what it depends on was read; None when it depends on no sibling."""


@dataclass(frozen=True)
class LoopHeader:
    """A loop in a list."""

    id: str
    name: str
    state: str
    outcome: str | None
    why: str
    backend: str
    created_at: float
    updated_at: float
    jobs: int
    handoff: bool


__all__ = [
    "EXIT_CODES",
    "JSON",
    "POOL_OVER",
    "TERMINAL",
    "Change",
    "Event",
    "Intent",
    "IntentKind",
    "Job",
    "JobPatch",
    "Loop",
    "LoopHeader",
    "Obligation",
    "Outcome",
    "Owner",
    "PatchAttempt",
    "Price",
    "Proposal",
    "Receipt",
    "ReceiptLine",
    "State",
    "Trial",
    "TrialState",
    "Value",
    "Verdict",
    "as_mapping",
]
