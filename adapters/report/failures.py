"""What failed, why, and what was done about it. The evidence is a log's: shown as text, never as markup."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.watchers.run_log import masked
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.failures.redact import redact_lines
from wpfsm.fsm.records import Job

MOST_DIFF_LINES = 400
UNFOLDED = 3
"""So many failures are open; a page of forty is read from its headings."""


@dataclass(frozen=True)
class DiffLine:
    """A line of a diff, and what it is."""

    text: str
    kind: Literal["", "add", "del", "hunk", "file"]


@dataclass(frozen=True)
class Failure:
    """One diagnosis with its evidence, and what was done about it.

    Attributes:
        job: Whose it is.
        found: The diagnosis.
        about: Family, confidence and place in a line.
        evidence: Lines of the log.
        parameters: What the patch set, as JSON; empty when it set nothing.
        diff: The first lines of what the patch did to the source.
        left: Lines of the diff that are not shown.
        unfolded: Shown open.
    """

    job: Job
    found: Diagnosis
    about: str
    evidence: Sequence[str]
    parameters: str
    diff: Sequence[DiffLine]
    left: int
    unfolded: bool


def failures(facts: Facts) -> list[Failure]:
    """Each diagnosis of the loop."""
    found = [(job, job.diagnosis) for job in facts.jobs if job.diagnosis is not None]
    return [_failure(facts, job, each, unfolded=i < UNFOLDED) for i, (job, each) in enumerate(found)]


def _failure(facts: Facts, job: Job, found: Diagnosis, *, unfolded: bool) -> Failure:
    at = f"{found.location.file}:{found.location.line}" if found.location else ""
    lines = diff(facts.diffs[job.number]) if job.patch and job.number in facts.diffs else []
    return Failure(
        job=job,
        found=found,
        about=" · ".join(part for part in (str(found.family), f"{found.confidence:.0%} sure", at) if part),
        evidence=redact_lines(found.evidence) if found.evidence else (),
        parameters=json.dumps(masked(job.patch.hyperparameters))
        if job.patch and job.patch.hyperparameters
        else "",
        diff=lines[:MOST_DIFF_LINES],
        left=max(0, len(lines) - MOST_DIFF_LINES),
        unfolded=unfolded,
    )


def diff(text: str) -> list[DiffLine]:
    """The lines of a unified diff, each with its kind; secrets are masked."""
    return [DiffLine(line, _kind(line)) for line in redact_lines(text.splitlines())]


def _kind(line: str) -> Literal["", "add", "del", "hunk", "file"]:
    if line.startswith(("+++", "---")):
        return "file"
    return "add" if line[:1] == "+" else "del" if line[:1] == "-" else "hunk" if line[:1] == "@" else ""
