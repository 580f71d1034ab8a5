"""Classifies what came of a job: the failure, or None when the job did what it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from wpfsm.fsm.context import Context
from wpfsm.fsm.failures.diagnosis import diagnose
from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.failures.traceback import without_escapes
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.records import Job
from wpfsm.fsm.strategies.expression import Expression
from wpfsm.fsm.strategies.metrics import series

LOG_TAIL = 4000
"""Lines of the log that a diagnosis reads."""


def diagnose_job(ctx: Context, job: Job) -> Diagnosis | None:
    """The failure, classified; None when the job did what it should."""
    metric_missing = bool(ctx.file.metric) and metric_of(ctx, job) is None
    if job.status == "Completed" and not metric_missing:
        return None
    rejected = job.status == "Rejected"
    code, message = _api_error(job.failure_reason) if rejected else ("", "")
    log: Sequence[str] = () if rejected else ctx.archive.tail(job.name, LOG_TAIL)
    evidence = Evidence(
        failure_reason="" if rejected else job.failure_reason,
        log=log,
        status=job.status,
        secondary_status=job.secondary_status,
        api_error_code=code,
        api_error_message=message,
        metric_missing=job.status == "Completed" and metric_missing,
        metric_trouble=_metric_trouble(ctx, log) if job.status == "Completed" else "",
        metric_hidden=_metric_hidden(ctx, log) if job.status == "Completed" else "",
        silent_seconds=ctx.file.job.silence if job.stopped_for == "silence" else None,
        own_idle_instances=_own_idle_instances(ctx) if rejected else 0,
        source_folder=PurePath(ctx.file.job.source or "").name,
        local=ctx.file.backend == "local",
        source_files=ctx.sources.files(job.source_digest) if job.source_digest else {},
    )
    return diagnose(evidence)


def metric_of(ctx: Context, job: Job) -> float | None:
    """The value of the loop's metric that a job reported last; None when it reported none."""
    value = job.metrics.get(ctx.file.metric.name) if ctx.file.metric else None
    return float(value) if isinstance(value, int | float) else None


def _metric_trouble(ctx: Context, log: Sequence[str]) -> str:
    """Why the metric's expression does not read what the log reports; empty when it does, or reports nothing."""
    if not ctx.file.metric:
        return ""
    expression = Expression(ctx.file.metric.regex)
    reports = [r for r in series(expression, log) if r.value is not None or r.whole is not None]
    if reports and (whole := reports[-1].whole) is not None:
        return f"the expression captures {reports[-1].captured!r} of {whole!r}"
    if expression.given_up:
        return "the expression takes too long on this log"
    return ""


def _metric_hidden(ctx: Context, log: Sequence[str]) -> str:
    """What stands between the metric's expression and the number that was printed; empty when nothing is known to."""
    if not ctx.file.metric:
        return ""
    plain = [without_escapes(line) for line in log]
    if plain == list(log) or not any(
        r.value is not None for r in series(Expression(ctx.file.metric.regex), plain)
    ):
        return ""
    return "the line that it would read has colours or other escape codes in it"


def _own_idle_instances(ctx: Context) -> int:
    """Instances that our own idle pool holds of the quota that a create was refused for."""
    owner = pool_owner(ctx.jobs())
    return ctx.file.pool.instance_count if owner and owner.pool_status == "Available" else 0


def _api_error(text: str) -> tuple[str, str]:
    """Code and message of botocore's form, which ``ServiceError`` keeps."""
    code = text.partition("(")[2].partition(")")[0]
    return code, text.partition(" operation: ")[2] or text
