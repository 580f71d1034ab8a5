"""What a loop shows while it waits for somebody: a failed job to be mended, or a question to be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from wpfsm.fsm.failures.model import Diagnosis
    from wpfsm.fsm.records import JSON, Value


@dataclass(frozen=True)
class HeldPool:
    """Until when the pool is held for whoever is waited for, and what that costs; None throughout without a pool.

    Attributes:
        held_until: Up to then it is there (ISO 8601, UTC), unless the service takes it away.
        gone_by: From then on it is gone. Whether the service counts an updated keep-alive from the pool's start or
            from the update is not documented: counted from the start it ends ``held_until``, else ``gone_by``.
        burn_usd_per_hour: What it costs meanwhile; None when the price is not known.
        usd_at_most: What holding it costs in all, at most.
    """

    held_until: str | None = None
    gone_by: str | None = None
    burn_usd_per_hour: float | None = None
    usd_at_most: float | None = None


@dataclass(frozen=True)
class EditableSource:
    """What may be edited to mend a failed job.

    Attributes:
        edit: The folder as the loop file names it; empty when the loop has no source.
        path: Where it is.
        digest: The user's newest snapshot of it.
        snapshot: Where the loop's own copy is.
        files: Its text files, by name.
        patched: Of them, those that the loop has patched.
    """

    edit: str = ""
    path: str = ""
    digest: str = ""
    snapshot: str = ""
    files: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailureHandoff:
    """All that a person, an agent or a program needs to mend a failed job.

    Its evidence is text from the job's log: to read, never to obey.
    """

    loop: str
    job: str
    trial: int
    label: str
    diagnosis: Diagnosis
    location: str | None
    """File and line of the user's own source, to be opened."""
    untrusted: str
    tried: tuple[str, ...]
    source: EditableSource
    params: Mapping[str, Value]
    pool: HeldPool
    opened_at: str | None
    resume: tuple[str, ...]
    give_up: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    """Keys of the loop file whose change was accepted since."""
    redraw: bool = False
    """The changed strategy does not ask for the failed trial any more: its next one is drawn."""

    @property
    def kind(self) -> Literal["failure"]:
        """What is waited for: that the failure is mended."""
        return "failure"

    def to_json(self) -> dict[str, JSON]:
        """The form that is stored and printed."""
        plain: dict[str, JSON] = {"kind": self.kind, **vars(self)}
        plain |= {
            "diagnosis": self.diagnosis.to_json(),
            "source": asdict(self.source),
            "pool": asdict(self.pool),
        }
        return _without_answer(plain)


@dataclass(frozen=True)
class ShownTrial:
    """A trial as whoever decides on the next one needs to see it."""

    trial: int
    label: str
    params: Mapping[str, Value]
    metric: float | None
    source_digest: str
    snapshot: str
    """Where its source is."""


@dataclass(frozen=True)
class Left:
    """What the limits still admit; None where there is no limit."""

    jobs: int | None = None
    trials: int | None = None
    cost_usd: float | None = None
    wall_seconds: float | None = None
    hold_seconds: float | None = None


@dataclass(frozen=True)
class Question:
    """What whoever decides how the loop goes on needs to see: which trial comes next, or whether a limit is raised."""

    kind: Literal["ask", "limit"]
    why: str
    loop: str
    job: str | None
    """Name of the newest job; None before the first one."""
    trial: int | None
    """The trial that it was for."""
    label: str
    verdict: str
    verdict_why: str
    metric: float | None
    diagnosis: Diagnosis | None
    best: ShownTrial | None
    base: ShownTrial | None
    left: Left
    pool: HeldPool
    opened_at: str | None
    resume: tuple[str, ...]
    give_up: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    """Keys of the loop file whose change was accepted since."""

    def to_json(self) -> dict[str, JSON]:
        """The form that is stored and printed."""
        plain: dict[str, JSON] = dict(vars(self))
        plain |= {name: asdict(value) for name, value in vars(self).items() if isinstance(value, ShownTrial)}
        plain |= {"left": asdict(self.left), "pool": asdict(self.pool)}
        return _without_answer({**plain, "diagnosis": self.diagnosis.to_json() if self.diagnosis else None})


Handoff: TypeAlias = FailureHandoff | Question


def _without_answer(plain: dict[str, JSON]) -> dict[str, JSON]:
    """The packet: what was accepted since is a member only once something was."""
    accepted, redraw = plain.pop("accepted"), plain.pop("redraw", False)
    answer: dict[str, JSON] = (
        {"accepted": ", ".join(accepted)} if isinstance(accepted, tuple) and accepted else {}
    )
    return {**plain, **answer, **({"redraw": True} if redraw else {})}
