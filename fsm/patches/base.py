"""What every automatic fix takes and gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.records import JSON, JobPatch

Scalar: TypeAlias = bool | int | float | str
PatchOutcome: TypeAlias = Literal["worked", "failed", "pending"]


@dataclass(frozen=True)
class Patch:
    """A change to free fields, or to the loop's copy of the source, in answer to a diagnosis.

    Attributes:
        kind: the fix that made it, as a rule's ``do`` names it.
        summary: what changes, in one line.
        hyperparameters: new values; the others stay.
        files: relative path to the whole new text.
        wait_seconds: how long to wait before the next submission.
        action: ``release_pool`` releases the idle pool before the next submission.
        key: equal for the same change; a circuit breaker and the failure memory count by it.
    """

    kind: str
    summary: str
    hyperparameters: Mapping[str, Scalar] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0
    action: Literal["retry", "release_pool"] = "retry"
    key: str = ""


def patch_of(stored: JobPatch) -> Patch:
    """A patch as it was made, from the row that remembers it; the texts of its files are in its two snapshots."""
    values = {name: value for name, value in stored.hyperparameters.items() if value is not None}
    return Patch(
        stored.kind,
        stored.summary,
        values,
        wait_seconds=stored.wait_seconds,
        action=stored.action,
        key=stored.key,
    )


@dataclass(frozen=True)
class PastPatch:
    """A patch that was tried, in this loop or in another one.

    Attributes:
        fingerprint: of the diagnosis that it answered.
        class_: its class.
        patch_key: :attr:`Patch.key`.
        outcome: what came of it.
    """

    fingerprint: str
    class_: str
    patch_key: str
    outcome: PatchOutcome


@dataclass(frozen=True)
class Material:
    """What a fix may look at.

    Attributes:
        hyperparameters: of the failed job.
        files: relative path to text of the loop's copy of the source.
        requirements_path: the requirements file in it; None when the loop file names none.
        history: patches tried so far; one that worked may be proposed again (for another trial), any other not.
        attempt: failures of this class so far in this loop, this one included.
        options: of the ``on_failure`` row.
        first_wait: seconds before the first retry of the same configuration.
    """

    hyperparameters: Mapping[str, Scalar] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    requirements_path: str | None = None
    history: Sequence[PastPatch] = ()
    attempt: int = 1
    options: Mapping[str, JSON] = field(default_factory=dict)
    first_wait: float = 30.0

    def tried(self, diagnosis: Diagnosis, key: str) -> bool:
        """Whether this patch answered this very bug before, and is not known to have worked."""
        return any(past.outcome != "worked" for past in self._past(diagnosis, key))

    def worked(self, diagnosis: Diagnosis, key: str) -> bool:
        """Whether this patch cured this very bug before."""
        return any(past.outcome == "worked" for past in self._past(diagnosis, key))

    def _past(self, diagnosis: Diagnosis, key: str) -> list[PastPatch]:
        return [
            past
            for past in self.history
            if past.fingerprint == diagnosis.fingerprint and past.patch_key == key
        ]


class Propose(Protocol):
    """The face of a fix."""

    def __call__(self, diagnosis: Diagnosis, material: Material) -> Patch | str:
        """The patch for this failure; or, as a sentence for the hand-off, why there is none."""


def key_of(kind: str, values: Mapping[str, object]) -> str:
    """A stable key: the same values in any order make the same key."""
    return f"{kind}:{json.dumps(values, sort_keys=True, default=str)}" if values else kind
