"""What follows a verdict: a repeat, a proposal, the goal, the next trial, a question, or the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.records import JSON, Change, Job, Outcome, PatchAttempt, Proposal, Trial
from wpfsm.fsm.states.diagnosing import failure_memory
from wpfsm.fsm.steps import lanes, proposals
from wpfsm.fsm.steps.next_trial import ask_next_trial, rows_of
from wpfsm.fsm.steps.open_question import open_question
from wpfsm.fsm.steps.proposals import Queued
from wpfsm.fsm.strategies import repeated_failure
from wpfsm.fsm.strategies.phases import reached
from wpfsm.fsm.strategies.repeats import again, group_of, merged, to_confirm, unfinished
from wpfsm.fsm.strategies.verdict import best_trial, compare_groups, judge


def after_verdict(
    ctx: Context, job: Job, trial: Trial, why: str, queued: Queued | None = None
) -> Change | None:
    """The trial has its verdict: a proposal, the goal, the next trial, a question, or the end."""
    trials = [trial if t.number == trial.number else t for t in ctx.store.trials()]
    config = ctx.file.phases[trial.phase - 1]
    if queued is None and unfinished(trial, trials, config):
        repeat = again(trial, trials, config, ctx.file.job.hyperparameters)
        if refusal := ctx.over_limit(job):
            return limit_reached(ctx, job, trial, refusal)
        more = proceed(f"{why}; next is trial {repeat.number} ({repeat.label}), to know the noise")
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
        over = end(
            ctx, job, trial, Outcome.COMPLETED, f"{standing(ctx, trials)}; done, said `wpfsm next --done`"
        )
        return replace(over, proposals=queued.rows)
    drawn = queued.trial or lanes.handed_back(ctx, trials)
    busy = lanes.others_busy(ctx, trials)
    while drawn is None:
        rows = rows_of(trials)
        met = ctx.strategy.goal_met(rows)
        if met and not busy and (drawn := _confirming(ctx, trials, trial.phase)):
            break
        if met:
            return end(ctx, job, trial, Outcome.GOAL_MET, met, taken)
        asks = ctx.file.phases[reached(ctx.strategy, rows)].type == "ask"
        if not asks and (repeated := repeated_failure(rows)):
            return end(ctx, job, trial, Outcome.FAILED, repeated, taken)
        drawn = ask_next_trial(ctx, trials)
        moves_on = drawn is None or drawn.phase > trial.phase
        if moves_on and not asks and not busy and (confirmed := _confirming(ctx, trials, trial.phase)):
            drawn = confirmed
            break
        left = ctx.strategy.summary(rows) if drawn is None else None
        if left is not None and busy and not (asks and lanes.more_may_come(ctx, trials)):
            return _idle(ctx, job, trial, taken, queued.rows)
        if left is not None and asks and left.ended is None:
            if refusal := ctx.over_limit(job):
                return limit_reached(ctx, job, trial, refusal, taken)
            asked = open_question(ctx, "ask", why, (trial, *taken), job=job)
            return replace(asked, remembered=_cured(ctx, trial), proposals=queued.rows)
        if left is not None:
            said = "; ".join([left.text, *_confirmed(ctx, trials, trial.phase)])
            return end(ctx, job, trial, _outcome(ctx, trials), said, taken)
        if drawn is not None and drawn.taken_from is not None:
            drawn = _judged(ctx, drawn, trials)
            trials.append(drawn)
            taken.append(drawn)
            drawn = None
    if refusal := ctx.over_limit(job):
        # A proposal stays open: it is run when the limit is raised.
        return limit_reached(ctx, job, trial, refusal, taken)
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
    change = proceed(
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
    repeat = again(chosen, trials, config, ctx.file.job.hyperparameters) if chosen else None
    return replace(repeat, lane=ctx.loop.lane) if repeat else None


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


def standing(ctx: Context, trials: Sequence[Trial]) -> str:
    """How the loop stands, in words."""
    return ctx.strategy.summary(rows_of(trials)).text


def limit_reached(ctx: Context, job: Job, trial: Trial, refusal: str, taken: Sequence[Trial] = ()) -> Change:
    """A limit was reached: the end, or where the loop file says so a hand-off in which it can be raised."""
    if ctx.file.limits.on_limit == "ask":
        asked = open_question(ctx, "limit", refusal, (trial, *taken), job=job)
        return replace(asked, remembered=_cured(ctx, trial))
    if lanes.others_busy(ctx, ctx.store.trials()):
        return replace(lanes.let_go(refusal, (trial, *taken), (job,)), remembered=_cured(ctx, trial))
    return end(ctx, job, trial, Outcome.LIMIT, refusal, taken)


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


def end(
    ctx: Context, job: Job, trial: Trial, outcome: Outcome, why: str, taken: Sequence[Trial] = ()
) -> Change:
    """The loop ends with this trial, and with those that took over a result behind it."""
    rows = (trial, *taken)
    said = "; ".join([why, *map(_taken_over, _new(taken, trial))])
    over = replace(release(outcome, said), jobs=(job,), trials=rows, remembered=_cured(ctx, trial))
    return replace(over, together=True)


def _cured(ctx: Context, trial: Trial) -> tuple[PatchAttempt, ...]:
    return failure_memory.completed(ctx, trial.number) if trial.state == "completed" else ()


def proceed(why: str) -> Change:
    """The change that goes on to the next job."""
    return Change(kind="proceed", why=why, loop={}, together=True)
