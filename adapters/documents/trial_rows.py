"""The trials of a loop as rows, for a table or a data frame: values, metrics, seconds, dollars, verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wpfsm.adapters.documents.rows import best_of, instances, ledger_of
from wpfsm.adapters.terminal.visible import visible
from wpfsm.fsm.costs.ledger import LedgerLine
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import JSON, Job, Loop, Trial
from wpfsm.fsm.units import stamp

_SPREAD = {"params": "param", "metrics": "metric"}
"""Members that become a column for each of their names, and what the columns' names begin with."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text must not begin with: spreadsheets run such a cell."""


def trial_rows(history: History, loop: Loop, now: float) -> list[dict[str, JSON]]:
    """One row a trial, by number; what several jobs of it took is added up."""
    trials, jobs = history.trials(loop.id), history.jobs(loop.id)
    lines = {line.number: line for line in ledger_of(loop, jobs, now).jobs}
    best = best_of(loop, trials)
    return [
        _row(loop, trial, [job for job in jobs if job.trial == trial.number], lines, best) for trial in trials
    ]


def report_rows(history: History, loop: Loop) -> list[dict[str, JSON]]:
    """One row a report: which job of which trial said what of which metric, and when."""
    jobs = {job.number: job for job in history.jobs(loop.id)}
    return [
        {
            "loop": loop.id,
            "trial": jobs[curve.job].trial,
            "job": jobs[curve.job].name,
            "metric": curve.metric,
            "report": number,
            "at": stamp(at),
            "seconds": at - began if (began := jobs[curve.job].started_at) is not None else None,
            "value": value,
        }
        for curve in history.curves(loop.id)
        if curve.job in jobs
        for number, at, value in curve.points
    ]


def _row(
    loop: Loop, trial: Trial, jobs: Sequence[Job], lines: Mapping[int, LedgerLine], best: Trial | None
) -> dict[str, JSON]:
    last = jobs[-1] if jobs else None
    paid = [job for job in jobs if job.arn]
    retained = [_retained(loop, lines.get(job.number)) for job in paid]
    costs = [line.cost_usd if (line := lines.get(job.number)) else None for job in paid]
    return {
        "loop": loop.id,
        "trial": trial.number,
        "phase": trial.phase,
        "label": trial.label,
        "note": trial.note or None,
        "params": dict(last.params if last else trial.params),
        "metric": trial.metric,
        "metrics": dict(last.metrics) if last else {},
        "best": best is not None and best.number == trial.number,
        "state": trial.state,
        "verdict": trial.verdict or None,
        "verdict_why": trial.verdict_why or None,
        "failure": last.diagnosis.class_ if last and last.diagnosis else None,
        "smoke": trial.smoke,
        "base": trial.base,
        "repeat_of": trial.repeat_of,
        "taken_from": trial.taken_from,
        "taken_loop": trial.taken_loop or None,
        "jobs": [job.name for job in jobs],
        "start": last.start if last else None,
        "startup_seconds": last.startup_seconds if last else None,
        "training_seconds": _sum(job.training_seconds for job in paid),
        "billable_seconds": _sum(job.billable_seconds for job in paid),
        "retained_seconds": _sum(retained),
        "cost_usd": _sum(costs),
        "source_digest": (last.source_digest if last else trial.source_digest) or None,
        "created_at": stamp(jobs[0].created_at) if jobs else None,
        "ended_at": stamp(last.ended_at) if last else None,
    }


def _retained(loop: Loop, line: LedgerLine | None) -> float | None:
    """Idle seconds of the cluster after a job."""
    return None if line is None or line.retained_seconds is None else line.retained_seconds / instances(loop)


def _sum(parts: Iterable[float | None]) -> float | None:
    """The sum; unknown when there is nothing to add up, or a part of it is unknown."""
    known = list(parts)
    whole = [part for part in known if part is not None]
    return sum(whole) if whole and len(whole) == len(known) else None


def flat(rows: Sequence[Mapping[str, JSON]]) -> tuple[list[str], list[list[str]]]:
    """Rows as a table of texts: the names of its columns, and the cells.

    Each hyperparameter and each metric has a column of its own (``param.lr``, ``metric.eval_loss``); what is unknown is
    an empty cell. A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    names: list[str] = []
    for member in rows[0] if rows else ():
        if member in _SPREAD:
            found = {name for row in rows for name in _mapping(row[member])}
            names += [f"{_SPREAD[member]}.{name}" for name in sorted(found)]
        else:
            names.append(member)
    return names, [[_cell(row, name) for name in names] for row in rows]


def _cell(row: Mapping[str, JSON], name: str) -> str:
    for member, prefix in _SPREAD.items():
        if name not in row and name.startswith(f"{prefix}."):
            return _text(_mapping(row[member]).get(name.removeprefix(f"{prefix}.")))
    return _text(row[name])


def _text(value: JSON) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = visible(value if isinstance(value, str) else " ".join(str(each) for each in value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def _mapping(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
