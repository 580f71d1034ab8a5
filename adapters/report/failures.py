"""What failed, why, and what was done about it. The evidence is a log's: shown as text, never as markup."""

from __future__ import annotations

import json

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.html import Markup, el, join
from wpfsm.adapters.watchers.run_log import masked
from wpfsm.fsm.failures.redact import redact_lines
from wpfsm.fsm.records import Job

MOST_DIFF_LINES = 400
UNFOLDED = 3
"""So many failures are open; a page of forty is read from its headings."""


def failures(facts: Facts) -> Markup | None:
    """Each diagnosis with its evidence, and what was done about it."""
    failed = [job for job in facts.jobs if job.diagnosis is not None]
    if not failed:
        return None
    return join(_failure(facts, job, unfold=i < UNFOLDED) for i, job in enumerate(failed))


def _failure(facts: Facts, job: Job, *, unfold: bool) -> Markup:
    found = job.diagnosis
    assert found is not None, "only failed jobs are shown here"
    at = f"{found.location.file}:{found.location.line}" if found.location else ""
    summary = el(
        "summary",
        el("b", f"Job {job.number}: {found.class_}"),
        el(
            "span",
            " · ".join(part for part in (str(found.family), f"{found.confidence:.0%} sure", at) if part),
            class_="muted",
        ),
        el("span", job.patch.summary, class_="pill patch") if job.patch else None,
    )
    lines = redact_lines(found.evidence)
    return el(
        "details",
        summary,
        el("p", found.fix),
        el("pre", "\n".join(lines), class_="evidence") if lines else None,
        el("p", "FailureReason: ", el("code", job.failure_reason)) if job.failure_reason else None,
        _patch(facts, job),
        open=unfold,
        id=f"failure-{job.number}",
        class_="failure",
    )


def _patch(facts: Facts, job: Job) -> Markup | None:
    if not job.patch:
        return el("p", "No patch was made.", class_="muted")
    why, parameters = job.patch.why, job.patch.hyperparameters
    return join(
        [
            el("p", el("b", "Patch: "), job.patch.summary, f" ({why})" if why else None),
            el("p", el("code", json.dumps(masked(parameters)))) if parameters else None,
            diff(facts.diffs[job.number]) if job.number in facts.diffs else None,
        ]
    )


def diff(text: str) -> Markup:
    """A unified diff, a colour for each kind of line."""
    lines = redact_lines(text.splitlines())
    kinds = {"+": "add", "-": "del", "@": "hunk"}
    shown = [
        el("span", line, "\n", class_="file" if line.startswith(("+++", "---")) else kinds.get(line[:1]))
        for line in lines[:MOST_DIFF_LINES]
    ]
    left = len(lines) - MOST_DIFF_LINES
    return el("pre", shown, f"… {left} more lines" if left > 0 else None, class_="diff")
