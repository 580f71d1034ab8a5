"""Diagnosing: what came of the job, and what follows from it.

A completed job gives its trial a verdict. A failed one is classified, and the first rule that applies says
what is done: a patch and another job, a program of the user's, a hand-off, or the end. A hand-off stays here
until ``wpfsm resume`` brings an edited source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.failures.diagnosis import Evidence, diagnose
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.records import JSON, Change, Job, JobPatch, Outcome, PatchAttempt, Proposal, Trial
from wpfsm.fsm.states.diagnosing import asking, failure_memory, handoff
from wpfsm.fsm.states.diagnosing.handoff_packet import cap_hold
from wpfsm.fsm.states.diagnosing.remedy import Remedy, choose_patch
from wpfsm.fsm.steps import lanes, proposals
from wpfsm.fsm.steps.next_trial import ask_next_trial, rows_of
from wpfsm.fsm.steps.proposals import Queued
from wpfsm.fsm.steps.service_writes import set_keep_alive
from wpfsm.fsm.steps.source_edits import changed_names
from wpfsm.fsm.strategies import repeated_failure
from wpfsm.fsm.strategies.metrics import Expression, series
from wpfsm.fsm.strategies.phases import reached
from wpfsm.fsm.strategies.repeats import again, group_of, merged, to_confirm, unfinished
from wpfsm.fsm.strategies.verdict import best_trial, compare_groups, judge

LOG_TAIL = 4000
"""Lines of the log that a diagnosis reads."""


def run(ctx: Context) -> Change | None:
    """Judge the newest job, or go on with what was proposed in a hand-off; None when nothing was."""
    if ctx.loop.handoff is not None:
        return answer(ctx, ctx.loop.handoff)
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
        over = replace(trial, state="stopped", metric=_metric(ctx, job))
        return _at_limit(ctx, job, over, "limits.max_wall was reached")
    if stopped_for == "early_stop":
        stopped = replace(trial, state="stopped", metric=_metric(ctx, job))
        return _next(ctx, job, stopped, f"trial {trial.number} was stopped early")
    diagnosis = _diagnose(ctx, job)
    if diagnosis is None:
        done = replace(trial, state="completed", metric=_metric(ctx, job))
        return _next(ctx, job, done, f"trial {trial.number} ({trial.label}) completed{_in_words(ctx, done)}")
    job = replace(job, diagnosis=diagnosis)
    return _failed(ctx, job, trial, diagnosis)


def answer(ctx: Context, packet: Mapping[str, JSON]) -> Change | None:
    """Go on from an open hand-off with what was proposed, or with a limit that was raised; None to keep waiting."""
    job = ctx.store.last_job()
    assert job is not None, "a hand-off has a job"
    trials = list(ctx.store.trials())
    trial = next(t for t in trials if t.number == job.trial)
    kind = packet.get("kind", "failure")
    if kind == "limit" and packet.get("accepted"):
        return _closing(_next(ctx, job, trial, "the limits were changed"))
    failed = None
    if kind == "failure":
        failed = replace(trial, state="failed", verdict="failed", verdict_why=_why_failed(job))
        trials = [failed if t.number == failed.number else t for t in trials]
    queued = proposals.take(ctx, trials, failed)
    if failed is not None and packet.get("redraw") and queued == Queued():
        return _closing(_next(ctx, job, failed, f"trial {trial.number} is not asked for any more", queued))
    if queued.trial is not None and kind == "limit" and ctx.over_limit():
        return None
    if queued.trial is None and not queued.done and not queued.skipped:
        if queued.rows:
            said = "; ".join(row.answer for row in queued.rows)
            ctx.record("proposal_refused", f"proposal refused: {said}", proposals=queued.rows)
        return None
    replaced = "given up" if queued.skipped else "replaced"
    why = (
        f"trial {trial.number} failed and is {replaced}" if failed else f"trial {trial.number} was looked at"
    )
    return _closing(_next(ctx, job, failed or trial, why, queued))


def _closing(change: Change | None) -> Change | None:
    """The change closes the hand-off that it answers, unless it opens another one."""
    if change is None:
        return None
    return replace(change, loop={"handoff": None, "hold_until": None, **change.loop})


def _why_failed(job: Job) -> str:
    return f"{job.diagnosis.class_}: {job.diagnosis.fix}" if job.diagnosis else "it failed"


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


def _failed(ctx: Context, job: Job, trial: Trial, diagnosis: Diagnosis) -> Change | None:
    remedy = choose_patch(ctx, job, trial, diagnosis)
    again = failure_memory.failed_again(ctx, job, diagnosis.fingerprint)
    # Two trials that fail alike end the loop, unless the failure belongs to what the strategy chose for each.
    failed = replace(trial, state="failed", fingerprint="" if remedy.of_trial else diagnosis.fingerprint)
    if remedy.action == "retry":
        return _retry(ctx, job, trial, remedy)
    failed = replace(failed, verdict_why=f"{diagnosis.class_}: {diagnosis.fix}")
    if remedy.action == "handoff" and _asks(ctx):
        # What the rules cannot mend is the trial's answer: whoever proposed it is asked for the next one.
        why = f"trial {trial.number} ({trial.label}) failed: {diagnosis.class_}: {diagnosis.fix}"
        return _remembering(_next(ctx, job, failed, why), again)
    if remedy.action == "skip":
        why = f"trial {trial.number} failed ({diagnosis.class_}): {_told(diagnosis)}{remedy.why}"
        return _remembering(_next(ctx, job, failed, why), again)
    if remedy.action == "handoff":
        if (refusal := ctx.over_limit(job)) and ctx.file.limits.on_limit == "release":
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


def _asks(ctx: Context) -> bool:
    """Whether the loop has reached its open phase."""
    rows = rows_of(ctx.store.trials())
    return ctx.file.phases[reached(ctx.strategy, rows)].type == "ask"


def _next(ctx: Context, job: Job, trial: Trial, why: str, queued: Queued | None = None) -> Change | None:
    """The trial has its verdict: a proposal, the goal, the next trial, a question, or the end."""
    trials = [trial if t.number == trial.number else t for t in ctx.store.trials()]
    config = ctx.file.phases[trial.phase - 1]
    if queued is None and unfinished(trial, trials, config):
        repeat = again(trial, trials, config, ctx.file.job.hyperparameters)
        if refusal := ctx.over_limit(job):
            return _at_limit(ctx, job, trial, refusal)
        more = _proceed(f"{why}; next is trial {repeat.number} ({repeat.label}), to know the noise")
        return replace(more, jobs=(job,), trials=(trial, repeat), remembered=_cured(ctx, trial))
    trial = _judged(ctx, trial, _before(ctx, trial))
    trials = [trial if t.number == trial.number else t for t in trials]
    taken: list[Trial] = []
    if trial.repeat_of is not None:
        # The verdict is on the trial that was repeated; from there on it is what its repeats showed together.
        root = next(t for t in trials if t.number == trial.repeat_of)
        taken.append(replace(root, verdict=trial.verdict, verdict_why=trial.verdict_why))
        trials = [taken[0] if t.number == root.number else t for t in trials]
    queued = proposals.take(ctx, trials) if queued is None else queued
    if queued.done:
        ended = _ended(
            ctx, job, trial, Outcome.COMPLETED, f"{_standing(ctx, trials)}; done, said `wpfsm next --done`"
        )
        return replace(ended, proposals=queued.rows)
    drawn = queued.trial or lanes.handed_back(ctx, trials)
    busy = lanes.others_busy(ctx, trials)
    while drawn is None:
        rows = rows_of(trials)
        met = ctx.strategy.goal_met(rows)
        if met and not busy and (drawn := _confirming(ctx, trials, trial.phase)):
            break
        if met:
            return _ended(ctx, job, trial, Outcome.GOAL_MET, met, taken)
        asks = ctx.file.phases[reached(ctx.strategy, rows)].type == "ask"
        if not asks and (repeated := repeated_failure(rows)):
            return _ended(ctx, job, trial, Outcome.FAILED, repeated, taken)
        drawn = ask_next_trial(ctx, trials)
        moves_on = drawn is None or drawn.phase > trial.phase
        if moves_on and not asks and not busy and (confirmed := _confirming(ctx, trials, trial.phase)):
            drawn = confirmed
            break
        standing = ctx.strategy.summary(rows) if drawn is None else None
        if standing is not None and busy and not (asks and lanes.more_may_come(ctx, trials)):
            return _idle(ctx, job, trial, taken, queued.rows)
        if standing is not None and asks and standing.ended is None:
            if refusal := ctx.over_limit(job):
                return _at_limit(ctx, job, trial, refusal, taken)
            return _ask(ctx, "ask", why, job, trial, taken, queued.rows)
        if standing is not None:
            said = "; ".join([standing.text, *_confirmed(ctx, trials, trial.phase)])
            return _ended(ctx, job, trial, _outcome(ctx, trials), said, taken)
        if drawn is not None and drawn.taken_from is not None:
            drawn = _judged(ctx, drawn, trials)
            trials.append(drawn)
            taken.append(drawn)
            drawn = None
    if refusal := ctx.over_limit(job):
        # A proposal stays open: it is run when the limit is raised.
        return _at_limit(ctx, job, trial, refusal, taken)
    data: dict[str, JSON] = {
        "job": job.name,
        "trial": trial.number,
        "metric": trial.metric,
        "verdict": trial.verdict,
        "next": drawn.label,
        "phase": drawn.phase,
        "proposal": drawn.proposal,
        "taken_over": [{"trial": each.number, "from": each.taken_from} for each in _new(taken, trial)],
    }
    change = _proceed(
        "; ".join([why, *map(_taken_over, _new(taken, trial)), _next_in_words(ctx, drawn, trial)])
    )
    source = (
        {"source_digest": drawn.source_digest} if trial.state == "failed" and _replaces(drawn, trial) else {}
    )
    return replace(
        change,
        jobs=(job,),
        trials=(trial, *taken, drawn),
        data=data,
        remembered=_cured(ctx, trial),
        proposals=queued.rows,
        loop=source,
    )


def _idle(
    ctx: Context, job: Job, trial: Trial, taken: Sequence[Trial], answered: tuple[Proposal, ...]
) -> Change | None:
    """No trial is left for this lane while siblings work: wait for what they show, or be let go."""
    rows = (trial, *taken)
    stored = {t.number: t for t in ctx.store.trials()}
    trials = [*{**stored, **{each.number: each for each in rows}}.values()]
    if not lanes.more_may_come(ctx, trials):
        gone = lanes.let_go("no trial is left for this lane", rows, (job,))
        return replace(gone, remembered=_cured(ctx, trial))
    if any(stored.get(each.number) != each for each in rows) or ctx.loop.handoff is not None:
        ctx.record(
            "judged",
            f"trial {trial.number} ({trial.label}) {trial.state}; what comes next depends on the other lanes",
            jobs=(job,),
            trials=rows,
            remembered=_cured(ctx, trial),
            proposals=answered,
            loop={"handoff": None, "hold_until": None} if ctx.loop.handoff is not None else {},
            together=True,
        )
    lanes.wait_for_siblings(ctx, "the other lanes, on which the next trial depends")
    return None


def _before(ctx: Context, trial: Trial) -> list[Trial]:
    """The trials whose results were there when this one ended."""
    ended = ("completed", "failed", "stopped")
    return [
        t
        for t in ctx.store.trials()
        if t.number < trial.number or (ctx.loop.lane and t.number != trial.number and t.state in ended)
    ]


def _confirming(ctx: Context, trials: Sequence[Trial], phase: int) -> Trial | None:
    """The best trial of a phase once more, before it is called best; None when it is confirmed."""
    config = ctx.file.phases[phase - 1]
    mine = [t for t in trials if t.phase == phase]
    chosen = to_confirm(mine, config, ctx.goal, runner_up=config.type != "until")
    return again(chosen, trials, config, ctx.file.job.hyperparameters) if chosen else None


def _confirmed(ctx: Context, trials: Sequence[Trial], phase: int) -> list[str]:
    """How sure it is that the best trial of a phase is better than the second best."""
    if not getattr(ctx.file.phases[phase - 1], "confirm", 0) or ctx.goal is None:
        return []
    means = [t for t in merged([t for t in trials if t.phase == phase]) if t.state == "completed"]
    best = best_trial(means, ctx.goal)
    second = best_trial([t for t in means if t is not best], ctx.goal)
    if best is None or second is None:
        return []
    ours, theirs = (
        [t.metric for t in group_of(each, trials) if t.state == "completed" and t.metric is not None]
        for each in (best, second)
    )
    told, figures = compare_groups(ours, theirs, ctx.goal)
    words = {
        "within noise": "inconclusive: the best two are within the noise",
        "unknown": "the noise is not known",
    }
    return [f"{words.get(told, f'confirmed: trial {best.number} ({best.label}) is {told}')}: {figures}"]


def _replaces(drawn: Trial, failed: Trial) -> bool:
    """Whether a proposal mends the failed trial, so that what it brings is for the trials after it too."""
    return drawn.proposal is not None and drawn.base == failed.number and not drawn.source


def _judged(ctx: Context, trial: Trial, before: Sequence[Trial]) -> Trial:
    """The trial with its verdict."""
    if trial.verdict:
        return trial
    asks = ctx.file.asks
    verdict, why = judge(trial, before, ctx.goal, asks.keep if asks else "better")
    return replace(trial, verdict=verdict, verdict_why=trial.verdict_why or why)


def _standing(ctx: Context, trials: Sequence[Trial]) -> str:
    return ctx.strategy.summary(rows_of(trials)).text


def _ask(
    ctx: Context,
    kind: asking.Kind,
    why: str,
    job: Job,
    trial: Trial,
    taken: Sequence[Trial] = (),
    answered: tuple[Proposal, ...] = (),
) -> Change:
    """Hold the pool and wait for whoever decides what comes next."""
    hold = cap_hold(ctx, asking.hold_seconds(ctx))
    rows = {t.number: t for t in (*ctx.store.trials(), trial, *taken)}
    packet = asking.packet_of(ctx, kind, why, job, trial, [rows[n] for n in sorted(rows)], hold)
    # Holding the pool wrote to the row of the job that owns it.
    fresh = ctx.store.job(job.number) or job
    verdict = f" ({trial.verdict}: {trial.verdict_why})" if trial.verdict else ""
    return Change(
        kind="handed_off",
        why=f"{why}{verdict}; waiting for {'a proposal' if kind == 'ask' else 'the limit to be raised'}",
        data={
            "job": job.name,
            "kind": kind,
            "trial": trial.number,
            "verdict": trial.verdict,
            "metric": trial.metric,
            "hold_until": hold.until,
        },
        loop={"handoff": packet, "hold_until": hold.until},
        jobs=(replace(fresh, diagnosis=job.diagnosis),),
        trials=(trial, *taken),
        remembered=_cured(ctx, trial),
        proposals=answered,
        together=True,
    )


def _at_limit(ctx: Context, job: Job, trial: Trial, refusal: str, taken: Sequence[Trial] = ()) -> Change:
    """A limit was reached: the end, or where the loop file says so a hand-off in which it can be raised."""
    if ctx.file.limits.on_limit == "ask":
        return _ask(ctx, "limit", refusal, job, trial, taken)
    if lanes.others_busy(ctx, ctx.store.trials()):
        return replace(lanes.let_go(refusal, (trial, *taken), (job,)), remembered=_cured(ctx, trial))
    return _ended(ctx, job, trial, Outcome.LIMIT, refusal, taken)


def _new(rows: Sequence[Trial], trial: Trial) -> list[Trial]:
    """Of the rows that are written with a trial, those that came to be with it."""
    return [each for each in rows if each.number > trial.number]


def _taken_over(trial: Trial) -> str:
    return f"trial {trial.number} ({trial.label}) takes over the result of trial {trial.taken_from}, which ran the same"


def _next_in_words(ctx: Context, drawn: Trial, before: Trial) -> str:
    text = f"next is trial {drawn.number} ({drawn.label})"
    if drawn.phase == before.phase:
        return text
    kind = ctx.file.phases[drawn.phase - 1].type
    start = f", from trial {drawn.base}" if drawn.base else ""
    return f"{text}, which begins phase {drawn.phase} of {len(ctx.file.phases)} ({kind}{start})"


def _outcome(ctx: Context, trials: list[Trial]) -> Outcome:
    """Every trial is done: was that what the loop was for?"""
    phase = reached(ctx.strategy, rows_of(trials))
    if ctx.file.phases[phase].type == "until":
        return Outcome.NO_GOAL
    done = any(t.state == "completed" and not t.smoke for t in trials if t.phase == phase + 1)
    return Outcome.COMPLETED if done else Outcome.FAILED


def _ended(
    ctx: Context, job: Job, trial: Trial, outcome: Outcome, why: str, taken: Sequence[Trial] = ()
) -> Change:
    rows = (trial, *taken)
    said = "; ".join([why, *map(_taken_over, _new(taken, trial))])
    ended = replace(release(outcome, said), jobs=(job,), trials=rows, remembered=_cured(ctx, trial))
    return replace(ended, together=True)


def _cured(ctx: Context, trial: Trial) -> tuple[PatchAttempt, ...]:
    return failure_memory.completed(ctx, trial.number) if trial.state == "completed" else ()


def _proceed(why: str) -> Change:
    return Change(kind="proceed", why=why, loop={}, together=True)
