"""Goes on from an open hand-off: with what was proposed, or with a limit that was raised; or waits on."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.records import Change, Outcome, Trial
from wpfsm.fsm.records.handoff import FailureHandoff, Handoff, Question
from wpfsm.fsm.states.diagnosing.next_step import after_verdict, proceed, standing
from wpfsm.fsm.steps import proposals
from wpfsm.fsm.steps.next_trial import next_trial
from wpfsm.fsm.steps.proposals import Queued


def answer(ctx: Context, handoff: Handoff) -> Change | None:
    """The change that closes an open hand-off; None to keep waiting."""
    if isinstance(handoff, FailureHandoff):
        return _mended(ctx, handoff)
    job = ctx.store.last_job()
    waiting = next_trial(ctx)
    if handoff.kind == "limit" and waiting is not None:
        return _limit_raised(ctx, handoff, waiting)
    if handoff.kind == "limit" and handoff.accepted and job is not None:
        return _closing(after_verdict(ctx, job, ctx.store.trial(job.trial), "the limits were changed"))
    trials = list(ctx.store.trials())
    queued = proposals.take(ctx, trials)
    if queued.trial is not None and handoff.kind == "limit" and ctx.over_limit():
        return None
    if queued.trial is None and not queued.done:
        _refused(ctx, queued)
        return None
    if job is None:
        return _closing(_first(ctx, queued))
    trial = ctx.store.trial(job.trial)
    return _closing(after_verdict(ctx, job, trial, f"trial {trial.number} was looked at", queued))


def _mended(ctx: Context, handoff: FailureHandoff) -> Change | None:
    """A failed trial is given up, or replaced by a proposal or by the next trial of a changed strategy."""
    job = ctx.store.last_job()
    assert job is not None, "a failure has its job"
    trial = ctx.store.trial(job.trial)
    why = job.diagnosis.happened if job.diagnosis else "it failed"
    failed = replace(trial, state="failed", verdict="failed", verdict_why=why)
    queued = proposals.take(
        ctx, [failed if t.number == failed.number else t for t in ctx.store.trials()], failed
    )
    if handoff.redraw and queued == Queued():
        return _closing(
            after_verdict(ctx, job, failed, f"trial {trial.number} is not asked for any more", queued)
        )
    if queued.trial is None and not queued.done and not queued.skipped:
        _refused(ctx, queued)
        return None
    replaced = "given up" if queued.skipped else "replaced"
    return _closing(after_verdict(ctx, job, failed, f"trial {trial.number} failed and is {replaced}", queued))


def _limit_raised(ctx: Context, question: Question, waiting: Trial) -> Change | None:
    """The limit was met before the job of a trial that was drawn already: that trial goes on once it is raised."""
    done = next((proposal for proposal in ctx.store.proposals() if proposal.kind == "done"), None)
    if done is not None:
        return _closing(_first(ctx, Queued(done=True, rows=(replace(done, status="taken"),))))
    if not question.accepted or ctx.over_limit():
        return None
    return _closing(proceed(f"the limits were changed; trial {waiting.number} ({waiting.label}) goes on"))


def _first(ctx: Context, queued: Queued) -> Change:
    """Before the first job there is no verdict: the proposal is the first trial, or there is none."""
    if queued.trial is None:
        done = f"{standing(ctx, ctx.store.trials())}; done, said `wpfsm next --done`"
        return replace(release(Outcome.COMPLETED, done), proposals=queued.rows)
    drawn = queued.trial
    change = proceed(f"next is trial {drawn.number} ({drawn.label})")
    return replace(change, trials=(drawn,), proposals=queued.rows)


def _refused(ctx: Context, queued: Queued) -> None:
    """Say why no proposal can be run; the hand-off stays open."""
    if queued.rows:
        said = "; ".join(row.answer for row in queued.rows)
        ctx.record("proposal_refused", f"proposal refused: {said}", proposals=queued.rows)


def _closing(change: Change | None) -> Change | None:
    """The change closes the hand-off that it answers, unless it opens another one."""
    if change is None:
        return None
    return replace(change, loop={"handoff": None, "hold_until": None, **change.loop})
