"""Diagnosing: what came of the job, and what follows from it.

A completed job gives its trial a verdict. A failed one is classified, and the first rule that applies says
what is done: a patch and another job, a program of the user's, a hand-off, or the end. A hand-off stays here
until ``wpfsm resume`` brings an edited source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.failures.diagnosis import Evidence, diagnose
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.records import JSON, Change, Job, JobPatch, Outcome, PatchAttempt, Trial
from wpfsm.fsm.states.diagnosing import failure_memory, handoff
from wpfsm.fsm.states.diagnosing.patch_command import changed_names
from wpfsm.fsm.states.diagnosing.remedy import Remedy, choose_patch
from wpfsm.fsm.steps.next_trial import ask_next_trial, row_of
from wpfsm.fsm.steps.service_writes import set_keep_alive
from wpfsm.fsm.strategies import repeated_failure
from wpfsm.fsm.strategies.metrics import Expression, series

LOG_TAIL = 4000
"""Lines of the log that a diagnosis reads."""


def run(ctx: Context) -> Change:
    """Judge the newest job."""
    job = ctx.store.last_job()
    assert job is not None, "Diagnosing is entered with a job"
    trials = list(ctx.store.trials())
    trial = next(t for t in trials if t.number == job.trial)
    if job.patch is not None:
        # Patched before a crash, or edited during a hand-off: the same trial goes on.
        return _proceed(f"trial {trial.number} again, with {job.patch.summary}")
    # A job that was over before it could be stopped is judged like any other.
    stopped_for = job.stopped_for if job.status == "Stopped" else ""
    if stopped_for == "limit":
        return _ended(ctx, job, replace(trial, state="stopped", metric=_metric(ctx, job)), Outcome.LIMIT,
                      "limits.max_wall was reached")  # fmt: skip
    if stopped_for == "early_stop":
        stopped = replace(trial, state="stopped", metric=_metric(ctx, job))
        return _next(ctx, job, stopped, f"trial {trial.number} was stopped early")
    diagnosis = _diagnose(ctx, job)
    if diagnosis is None:
        done = replace(trial, state="completed", metric=_metric(ctx, job))
        return _next(ctx, job, done, f"trial {trial.number} ({trial.label}) completed{_in_words(ctx, done)}")
    job = replace(job, diagnosis=diagnosis)
    return _failed(ctx, job, trial, diagnosis)


def _metric(ctx: Context, job: Job) -> float | None:
    value = job.metrics.get(ctx.file.metric.name) if ctx.file.metric else None
    return float(value) if isinstance(value, int | float) else None


def _in_words(ctx: Context, trial: Trial) -> str:
    if not ctx.file.metric:
        return ""
    return f", {ctx.file.metric.name} = {trial.metric:.6g}" if trial.metric is not None else ""


def _diagnose(ctx: Context, job: Job) -> Diagnosis | None:
    """The failure, classified; None when the job did what it should."""
    metric_missing = bool(ctx.file.metric) and _metric(ctx, job) is None
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
        silent_seconds=ctx.file.job.silence if job.stopped_for == "silence" else None,
        own_idle_instances=_own_idle_instances(ctx) if rejected else 0,
        source_files=ctx.sources.files(job.source_digest) if job.source_digest else {},
    )
    return diagnose(evidence)


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


def _own_idle_instances(ctx: Context) -> int:
    """Instances that our own idle pool holds of the quota that a create was refused for."""
    owner = pool_owner(ctx.jobs())
    return ctx.file.pool.instance_count if owner and owner.pool_status == "Available" else 0


def _api_error(text: str) -> tuple[str, str]:
    """Code and message of botocore's form, which ``ServiceError`` keeps."""
    code = text.partition("(")[2].partition(")")[0]
    return code, text.partition(" operation: ")[2] or text


def _failed(ctx: Context, job: Job, trial: Trial, diagnosis: Diagnosis) -> Change:
    remedy = choose_patch(ctx, job, trial, diagnosis)
    again = failure_memory.failed_again(ctx, job, diagnosis.fingerprint)
    # Two trials that fail alike end the loop, unless the failure belongs to what the strategy chose for each.
    failed = replace(trial, state="failed", fingerprint="" if remedy.of_trial else diagnosis.fingerprint)
    if remedy.action == "retry":
        return _retry(ctx, job, trial, remedy)
    if remedy.action == "skip":
        why = f"trial {trial.number} failed ({diagnosis.class_}): {_told(diagnosis)}{remedy.why}"
        return replace(_next(ctx, job, failed, why), remembered=again)
    if remedy.action == "handoff":
        if refusal := ctx.over_limit(job):
            # Nobody can go on from a hand-off that no further job may follow, and its pool would bill for nothing.
            ended = _ended(
                ctx,
                job,
                failed,
                Outcome.LIMIT,
                f"{refusal} {job.name} failed: {diagnosis.class_}: {_told(diagnosis)}{remedy.why}",
            )
            return replace(ended, remembered=again)
        return handoff.open_handoff(
            ctx, job, replace(trial, fingerprint=diagnosis.fingerprint), diagnosis, remedy
        )
    outcome = (
        Outcome.DENIED if diagnosis.family == "permissions" and job.status == "Rejected" else Outcome.FAILED
    )
    # Of a job that was never made there is no log to look at: what the service said is all there is.
    said = f"{job.failure_reason} - " if job.status == "Rejected" else _told(diagnosis)
    return replace(
        _ended(ctx, job, failed, outcome, f"{diagnosis.class_}: {said}{remedy.why}"), remembered=again
    )


def _told(diagnosis: Diagnosis) -> str:
    """The line that matters and its place, as the beginning of a sentence that says what follows."""
    return f"{diagnosis.cause} - " if diagnosis.cause else ""


def _retry(ctx: Context, job: Job, trial: Trial, remedy: Remedy) -> Change:
    assert remedy.patch is not None
    patch = remedy.patch
    owner = pool_owner(ctx.jobs()) if patch.action == "release_pool" else None
    if owner:
        set_keep_alive(ctx, owner, 0, patch.summary)
    stored = _stored(ctx, trial, remedy)
    made = failure_memory.remember(ctx, job, remedy.fingerprint, remedy.class_, stored)
    source = {} if trial.source else {"source_digest": remedy.source_digest}
    wait = {"wait_until": ctx.clock.now() + patch.wait_seconds} if patch.wait_seconds else {}
    # Releasing or holding the pool wrote to the row of the job that owns it.
    fresh = ctx.store.job(job.number) or job
    proven = f" ({remedy.why})" if remedy.why.startswith("worked before") else ""
    return replace(
        _proceed(f"{remedy.class_}: {patch.summary}{proven}"),
        jobs=(replace(fresh, diagnosis=job.diagnosis, patch=stored),),
        trials=(replace(trial, source_digest=remedy.source_digest),),
        remembered=(*failure_memory.failed_again(ctx, job, remedy.fingerprint), made),
        loop={**source, **wait},
        data={"job": job.name, "class": remedy.class_, "patch": patch.key, "why": remedy.why},
    )


def _stored(ctx: Context, trial: Trial, remedy: Remedy) -> JobPatch:
    """The patch as the rows keep it: the change itself, as a diff of the source where it is one."""
    assert remedy.patch is not None
    patch, base, result = remedy.patch, trial.source_digest, remedy.source_digest
    given = ctx.file.job.hyperparameters
    return JobPatch(
        kind=patch.kind,
        summary=patch.summary,
        key=patch.key,
        why=remedy.why,
        rule=remedy.rule,
        hyperparameters=dict(patch.hyperparameters),
        replaces={name: given.get(name) for name in patch.hyperparameters},
        files=tuple(changed_names(ctx, base, result)) if base != result else (),
        diff=ctx.sources.diff(base, result) if base != result else "",
        base=base,
        result=result,
        wait_seconds=patch.wait_seconds,
        action=patch.action,
    )


def _next(ctx: Context, job: Job, trial: Trial, why: str) -> Change:
    """The trial has its verdict: the goal, the next trial, or the end."""
    trials = [trial if t.number == trial.number else t for t in ctx.store.trials()]
    rows = [row_of(t) for t in trials]
    if met := ctx.strategy.goal_met(rows):
        return _ended(ctx, job, trial, Outcome.GOAL_MET, met)
    if repeated := repeated_failure(rows):
        return _ended(ctx, job, trial, Outcome.FAILED, repeated)
    drawn = ask_next_trial(ctx, trials)
    if drawn is None:
        standing = ctx.strategy.summary(rows)
        return _ended(ctx, job, trial, _outcome(ctx, trials), standing.text)
    if refusal := ctx.over_limit(job):
        return _ended(ctx, job, trial, Outcome.LIMIT, refusal)
    data: dict[str, JSON] = {
        "job": job.name,
        "trial": trial.number,
        "metric": trial.metric,
        "next": drawn.label,
    }
    change = _proceed(f"{why}; next is trial {drawn.number} ({drawn.label})")
    return replace(change, jobs=(job,), trials=(trial, drawn), data=data, remembered=_cured(ctx, trial))


def _outcome(ctx: Context, trials: list[Trial]) -> Outcome:
    """Every trial is done: was that what the loop was for?"""
    if ctx.file.strategy.type == "until":
        return Outcome.NO_GOAL
    done = any(t.state == "completed" and not t.smoke for t in trials)
    return Outcome.COMPLETED if done else Outcome.FAILED


def _ended(ctx: Context, job: Job, trial: Trial, outcome: Outcome, why: str) -> Change:
    return replace(release(outcome, why), jobs=(job,), trials=(trial,), remembered=_cured(ctx, trial))


def _cured(ctx: Context, trial: Trial) -> tuple[PatchAttempt, ...]:
    return failure_memory.completed(ctx, trial.number) if trial.state == "completed" else ()


def _proceed(why: str) -> Change:
    return Change(kind="proceed", why=why, loop={})
