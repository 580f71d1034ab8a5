"""Diagnosing: what came of the job, and what follows from it.

A completed job gives its trial a verdict. A failed one is classified, and the first rule that applies says
what is done: a patch and another job, a program of the user's, a hand-off, or the end. A hand-off stays here
until ``wpfsm resume`` brings an edited source.
"""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.records import Change, Job, JobPatch, Outcome, PatchAttempt, Trial
from wpfsm.fsm.states.diagnosing import failure_memory, handoff
from wpfsm.fsm.states.diagnosing.answer import answer
from wpfsm.fsm.states.diagnosing.diagnose_job import diagnose_job, metric_of
from wpfsm.fsm.states.diagnosing.next_step import after_verdict, end, limit_reached, proceed
from wpfsm.fsm.states.diagnosing.remedy import Remedy, choose_patch
from wpfsm.fsm.steps.next_trial import rows_of
from wpfsm.fsm.steps.service_writes import set_keep_alive
from wpfsm.fsm.steps.source_edits import changed_names
from wpfsm.fsm.strategies.phases import reached


def run(ctx: Context) -> Change | None:
    """Judge the newest job, or go on with what was proposed in a hand-off; None when nothing was."""
    if ctx.loop.handoff is not None:
        return answer(ctx, ctx.loop.handoff)
    job = ctx.store.last_job()
    assert job is not None, "Diagnosing is entered with a job"
    trial = ctx.store.trial(job.trial)
    if job.patch is not None:
        # Patched before a crash, or edited during a hand-off: the same trial goes on.
        return proceed(f"trial {trial.number} again, with {job.patch.summary}")
    # A job that was over before it could be stopped is judged like any other.
    stopped_for = job.stopped_for if job.status == "Stopped" else ""
    if stopped_for == "limit":
        over = replace(trial, state="stopped", metric=metric_of(ctx, job))
        return limit_reached(ctx, job, over, "limits.max_wall was reached")
    if stopped_for == "early_stop":
        stopped = replace(trial, state="stopped", metric=metric_of(ctx, job))
        return after_verdict(ctx, job, stopped, f"trial {trial.number} was stopped early")
    diagnosis = diagnose_job(ctx, job)
    if diagnosis is None:
        done = replace(trial, state="completed", metric=metric_of(ctx, job))
        return after_verdict(
            ctx, job, done, f"trial {trial.number} ({trial.label}) completed{_in_words(ctx, done)}"
        )
    job = replace(job, diagnosis=diagnosis)
    return _failed(ctx, job, trial, diagnosis)


def _failed(ctx: Context, job: Job, trial: Trial, diagnosis: Diagnosis) -> Change | None:
    remedy = choose_patch(ctx, job, trial, diagnosis)
    again = failure_memory.failed_again(ctx, job, diagnosis.fingerprint)
    # Two trials that fail alike end the loop, unless the failure belongs to what the strategy chose for each.
    failed = replace(trial, state="failed", fingerprint="" if remedy.of_trial else diagnosis.fingerprint)
    if remedy.action == "retry":
        return _retry(ctx, job, trial, remedy)
    failed = replace(failed, verdict_why=diagnosis.happened)
    if remedy.action == "handoff" and _asks(ctx):
        # What the rules cannot mend is the trial's answer: whoever proposed it is asked for the next one.
        why = f"trial {trial.number} ({trial.label}) failed: {diagnosis.happened}"
        return _remembering(after_verdict(ctx, job, failed, why), again)
    if remedy.action == "skip":
        why = f"trial {trial.number} failed ({diagnosis.class_}): {_told(diagnosis)}{remedy.why}"
        return _remembering(after_verdict(ctx, job, failed, why), again)
    if remedy.action == "handoff":
        if (refusal := ctx.over_limit(job)) and ctx.file.limits.on_limit == "release":
            # Nobody can go on from a hand-off that no further job may follow, and its pool would bill for nothing.
            over = end(
                ctx,
                job,
                failed,
                Outcome.LIMIT,
                f"{refusal} {job.name} failed: {diagnosis.class_}: {_told(diagnosis)}{remedy.why}",
            )
            return replace(over, remembered=again)
        return handoff.open_handoff(
            ctx, job, replace(trial, fingerprint=diagnosis.fingerprint), diagnosis, remedy
        )
    outcome = (
        Outcome.DENIED if diagnosis.family == "permissions" and job.status == "Rejected" else Outcome.FAILED
    )
    # Of a job that was never made there is no log to look at: what the service said is all there is.
    said = f"{job.failure_reason} - " if job.status == "Rejected" else _told(diagnosis)
    return replace(
        end(ctx, job, failed, outcome, f"{diagnosis.class_}: {said}{remedy.why}"), remembered=again
    )


def _remembering(change: Change | None, rows: tuple[PatchAttempt, ...]) -> Change | None:
    return None if change is None else replace(change, remembered=rows)


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
    source = {} if trial.source or trial.proposal else {"source_digest": remedy.source_digest}
    wait = {"wait_until": ctx.clock.now() + patch.wait_seconds} if patch.wait_seconds else {}
    # Releasing or holding the pool wrote to the row of the job that owns it.
    fresh = ctx.store.job(job.number) or job
    proven = f" ({remedy.why})" if remedy.why.startswith("worked before") else ""
    return replace(
        proceed(f"{remedy.class_}: {patch.summary}{proven}"),
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


def _asks(ctx: Context) -> bool:
    """Whether the loop has reached its open phase."""
    rows = rows_of(ctx.store.trials())
    return ctx.file.phases[reached(ctx.strategy, rows)].type == "ask"


def _in_words(ctx: Context, trial: Trial) -> str:
    if not ctx.file.metric:
        return ""
    return f", {ctx.file.metric.name} = {trial.metric:.6g}" if trial.metric is not None else ""
