"""What a changed loop file or source does to a loop that is resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Refused, UsageError
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile, own_price, with_keep_alive
from wpfsm.fsm.records import JSON, Job, Trial
from wpfsm.fsm.records.handoff import FailureHandoff, Question
from wpfsm.fsm.request import file_changes
from wpfsm.fsm.states.diagnosing import handoff
from wpfsm.fsm.steps.explain_pool_loss import mismatch_cost
from wpfsm.fsm.strategies import Goal, Strategy, build
from wpfsm.fsm.strategies.metrics import extract, last_finite

LOG_LINES = 100_000
"""Lines of a stored log that a corrected expression searches."""


def take_up_changes(ctx: Context, *, accept: bool) -> list[str]:
    """Compare file and source with what the loop froze; an edited source closes a hand-off.

    Returns:
        What the user should know of it, a line each.

    Raises:
        Refused: A locked field changed, a free one changed and was not accepted, or nothing was changed
            since the hand-off.
    """
    notes: list[str] = []
    if ctx.loop.handoff is not None and ctx.group_ended() is not None:
        return notes  # a sibling took the answer, and it was the end: what is left to do is the release
    changed = _accept_file(ctx, notes, accept=accept)
    job = ctx.store.last_job()
    waiting = ctx.loop.handoff
    if isinstance(waiting, Question):
        _refuse_unanswered(ctx, waiting)
    elif waiting is not None and job is not None and not ctx.store.proposals():
        trial = ctx.store.trial(job.trial)
        if _read_log_again(ctx, job, waiting.accepted) or _redraw(ctx, trial, waiting):
            return notes
        folder = trial.source or ctx.file.job.source
        digest = ctx.sources.snapshot(folder) if folder else trial.source_digest
        handoff.take_up(ctx, digest, settings_changed=changed)
    elif waiting is None and ctx.file.job.source:
        _note_changed_source(ctx, notes, ctx.file.job.source)
    return notes


def _read_log_again(ctx: Context, job: Job, accepted: Sequence[str]) -> bool:
    """A corrected expression reads the log that is there: the job completed, and is not paid again."""
    metric = ctx.file.metric
    if (
        job.status != "Completed"
        or metric is None
        or not any(key == "metric" or key.startswith("metric.") for key in accepted)
    ):
        return False
    value = last_finite(extract(metric.regex, ctx.archive.tail(job.name, LOG_LINES)))
    if value is None:
        return False
    ctx.record(
        "edited",
        f"hand-off closed: the new expression reads {metric.name} = {value:.6g} in the log of {job.name}; no job is "
        "run again",
        data={"job": job.name, "metric": value},
        jobs=(replace(job, metrics={**job.metrics, metric.name: value}, diagnosis=None),),
        loop={"handoff": None, "hold_until": None},
    )
    return True


def _redraw(ctx: Context, trial: Trial, waiting: FailureHandoff) -> bool:
    """A changed strategy that does not ask for the failed trial any more is asked for its next one instead."""
    if not any(key.startswith("strategy") for key in waiting.accepted):
        return False
    if _asks_for(ctx.strategy, trial):
        return False
    ctx.record(
        "accepted",
        f"the changed strategy does not ask for trial {trial.number} ({trial.label}) any more: its next trial is drawn",
        loop={"handoff": replace(waiting, redraw=True)},
    )
    return True


def _asks_for(strategy: Strategy, trial: Trial) -> bool:
    return any((each.label, each.repeat) == (trial.label, trial.repeat) for each in strategy.preview())


def _refuse_unanswered(ctx: Context, question: Question) -> None:
    """Say what a question waits for, when nothing of it is there.

    Raises:
        Refused: Nothing was proposed, or the limit was not raised.
    """
    loop = ctx.loop
    if ctx.store.proposals():
        return
    if question.kind == "ask":
        raise Refused(
            f"{loop.group} waits for a proposal: what to try next",
            fix=f"wpfsm next {loop.group} --set NAME=VALUE (or --source DIR); wpfsm next {loop.group} --done ends it",
        )
    if (refusal := ctx.over_limit()) or not question.accepted:
        raise Refused(
            f"{refusal or 'the limit'}: it was not raised",
            fix=f"raise it in {loop.loop_path}, then wpfsm resume {loop.group} --accept-changes; "
            f"or wpfsm next {loop.group} --done",
        )


def _note_changed_source(ctx: Context, notes: list[str], folder: str) -> None:
    """Say that the user's files are not the loop's any more, which never needs them again."""
    try:
        changed = "has changed" if ctx.sources.snapshot(folder) != ctx.loop.source_digest else ""
    except UsageError as error:
        changed = f"cannot be read any more ({error})"
    if changed:
        notes.append(f"note: {folder} {changed}; the loop goes on with its own snapshot")


def _accept_file(ctx: Context, notes: list[str], *, accept: bool) -> bool:
    """Take over changed free fields of the loop file; True when there were any."""
    path = Path(ctx.loop.loop_path)
    if not path.exists():
        notes.append(f"note: {path} is gone; the loop goes on with the file as it was")
        return False
    try:
        now = load(path, ctx.loop.overrides)
    except UsageError as error:
        notes.append(
            f"note: the loop file cannot be read any more; the loop goes on with it as it was\n{error}"
        )
        return False
    keep_alive = float(ctx.file.pool.keep_alive or 0)
    effective: dict[str, JSON] = with_keep_alive(now, keep_alive).dump()
    changed = file_changes.compare(ctx.file.dump(), effective, _goes_on(ctx, now))
    file_changes.check(changed, accept=accept, loop_id=ctx.loop.group, cost=mismatch_cost(ctx))
    if changed:
        # Kept with an open hand-off, which it answers even if this process ends before it is closed.
        keys = tuple(change.key for change in changed)
        noted: dict[str, object] = (
            {"handoff": replace(ctx.loop.handoff, accepted=keys)} if ctx.loop.handoff else {}
        )
        if "pool.price_per_hour" in keys and now.pool.price_per_hour is not None:
            noted["price"] = own_price(now, ctx.clock.now())
        words = [f"{change.key} ({change.applies})" for change in changed]
        notes += [f"accepted: {word}" for word in words]
        ctx.record(
            "accepted",
            f"changes accepted: {', '.join(words)}",
            loop={"loop_file": effective, **noted},
            data={c.key: [c.old, c.new] for c in changed},
        )
        ctx.reload()
    return bool(changed)


def _goes_on(ctx: Context, now: LoopFile) -> file_changes.GoesOn:
    """Which trial's job comes next, under the file as it is now."""
    trials, job = ctx.store.trials(), ctx.store.last_job()
    drawn = len(trials) + 1
    waiting = ctx.loop.handoff
    if not isinstance(waiting, FailureHandoff) or job is None:
        ready = next((t.number for t in trials if t.state == "pending"), None)
        return file_changes.GoesOn(ready or drawn, drawn)
    failed = ctx.store.trial(job.trial)
    goal = Goal(now.metric.name, now.metric.goal) if now.metric else None
    asked = _asks_for(build(now.strategy, goal, now.job.hyperparameters), failed)
    return file_changes.GoesOn(
        trial=failed.number if asked else drawn,
        drawn=drawn,
        replaced=None if asked else failed.number,
        log_of=job.name if job.status == "Completed" else "",
    )
