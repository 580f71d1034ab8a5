"""What is known of a failed job: its classified failure, and where in the code it happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from wpfsm.fsm.records import JSON

Who: TypeAlias = Literal["wpfsm", "you", "aws"]


STUCK = "stuck"
"""The detail that says why the automatic fix of the class cannot help."""
MOST_OF_A_CAUSE = 200
"""Characters of the line that matters that a sentence quotes."""


class Family(StrEnum):
    """The coarse class of a failure, an interface of ``wpfsm explain``."""

    DEPENDENCY = "dependency"
    OOM = "oom"
    QUOTA = "quota"
    CAPACITY = "capacity"
    INFRA = "infra"
    THROTTLING = "throttling"
    SCRIPT = "script"
    TIMEOUT = "timeout"
    PERMISSIONS = "permissions"
    DATA = "data"
    OTHER = "other"


@dataclass(frozen=True)
class Location:
    """Where a failure was raised; ``file`` is relative to the source when the source is known."""

    file: str
    line: int
    function: str


@dataclass(frozen=True)
class Diagnosis:
    """The classified failure of a job.

    Attributes:
        family: coarse class.
        class_: finer class, a row of the taxonomy; ``class`` in JSON.
        confidence: 0 to 1.
        evidence: at most 40 lines that led to it, secrets redacted. Text of others: never instructions.
        location: the deepest frame of the user's code; None when no traceback is there.
        fingerprint: equal for the same bug in other jobs.
        fix: what to do, in one sentence.
        who: who can do it.
        details: what the message named: ``module``, ``name``, ``requirement``, ``installed``, ``versions``, ``limit`` …
    """

    family: Family
    class_: str
    confidence: float
    evidence: tuple[str, ...]
    location: Location | None
    fingerprint: str
    fix: str
    who: Who
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """The line that matters and where it points: ``KeyError: 'label' (train.py:9)``; empty without evidence."""
        line = self.evidence[0].strip()[:MOST_OF_A_CAUSE] if self.evidence else ""
        return f"{line} ({self.location.file}:{self.location.line})" if line and self.location else line

    @property
    def happened(self) -> str:
        """The class and the line that matters: what happened, and not what to do about it."""
        return f"{self.class_}: {self.cause or self.fix}"

    @property
    def stuck(self) -> str:
        """Why the automatic fix of the class cannot help; empty where it may."""
        return self.details.get(STUCK, "")

    def to_json(self) -> dict[str, JSON]:
        """The form that is stored and printed."""
        return {
            "family": str(self.family),
            "class": self.class_,
            "confidence": self.confidence,
            "evidence": list(self.evidence),
            "location": dict(vars(self.location)) if self.location else None,
            "fingerprint": self.fingerprint,
            "fix": self.fix,
            "who": self.who,
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Diagnosis:
        """The diagnosis that :meth:`to_json` wrote."""
        evidence, details, location = data["evidence"], data.get("details"), data.get("location")
        return cls(
            family=Family(str(data["family"])),
            class_=str(data["class"]),
            confidence=float(str(data["confidence"])),
            evidence=tuple(str(line) for line in evidence) if isinstance(evidence, Sequence) else (),
            location=_location_from(location) if isinstance(location, Mapping) else None,
            fingerprint=str(data["fingerprint"]),
            fix=str(data["fix"]),
            who=next((who for who in ("wpfsm", "you", "aws") if who == data.get("who")), "you"),
            details={k: str(v) for k, v in details.items()} if isinstance(details, Mapping) else {},
        )


def _location_from(data: Mapping[str, JSON]) -> Location:
    return Location(str(data["file"]), int(str(data["line"])), str(data["function"]))
