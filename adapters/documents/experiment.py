"""One experiment as a document: what was changed against its base, what came of it, and what is left."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from wpfsm.adapters.documents.rows import section
from wpfsm.fsm.ports import History, Sources
from wpfsm.fsm.records import JSON, Job, Loop, Trial


def experiment_object(history: History, sources: Sources, loop: Loop, number: int) -> dict[str, JSON]:
    """What ``next`` prints under ``experiment``."""
    trials = {trial.number: trial for trial in history.trials(loop.id)}
    trial = trials[number]
    base = trials.get(trial.base or 0)
    jobs = [job for job in history.jobs(loop.id) if job.trial == number]
    stat = source_changes(
        sources, base.source_digest if base else loop_source(history, loop), trial.source_digest
    )
    return {
        "trial": trial.number,
        "label": trial.label,
        "note": trial.note or None,
        "phase": trial.phase,
        "proposal": trial.proposal,
        "base": trial.base,
        "params": dict(jobs[-1].params) if jobs else dict(trial.params),
        "changes": params_changed(section(loop, "job").get("hyperparameters"), base, trial),
        "files": stat,
        "state": trial.state,
        "metric": trial.metric,
        "verdict": trial.verdict or None,
        "why": trial.verdict_why or None,
        "diagnosis": jobs[-1].diagnosis.to_json() if jobs and jobs[-1].diagnosis else None,
        "jobs": [job.name for job in jobs],
    }


def loop_source(history: History, loop: Loop) -> str:
    """The snapshot that the loop began with."""
    jobs: Sequence[Job] = history.jobs(loop.id)
    return jobs[0].source_digest if jobs else loop.source_digest


def params_changed(given: JSON, base: Trial | None, trial: Trial) -> dict[str, JSON]:
    """Each hyperparameter that differs from the base: what it was, and what it is."""
    before = {**(given if isinstance(given, Mapping) else {}), **(base.params if base else {})}
    return {
        name: [before.get(name), value] for name, value in trial.params.items() if before.get(name) != value
    }


def source_changes(sources: Sources, before: str, after: str) -> list[JSON]:
    """Each text file that differs between two snapshots, with the lines that were added and removed."""
    if before == after or not (before and after):
        return []
    old, new = sources.files(before), sources.files(after)
    found: list[JSON] = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        lines = list(difflib.ndiff(old.get(name, "").splitlines(), new.get(name, "").splitlines()))
        added, removed = sum(x.startswith("+ ") for x in lines), sum(x.startswith("- ") for x in lines)
        found.append({"file": name, "added": added, "removed": removed})
    return found
