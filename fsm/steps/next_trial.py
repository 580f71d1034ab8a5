"""Draws the next trial from the strategy, and says what its jobs are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import Job, Trial, Value
from wpfsm.fsm.strategies import TrialRow
from wpfsm.fsm.strategies.repeats import merged


def ask_next_trial(ctx: Context, trials: list[Trial]) -> Trial | None:
    """The trial that the strategy asks for after ``trials``; None when there is none left.

    A point that an earlier phase ran already comes back completed, with that result: it needs no job.

    Raises:
        MissingExtra: The strategy needs an optional dependency.
    """
    rows = rows_of(trials)
    if not isinstance(ctx.file.strategy, list) and ctx.file.asks is None:
        # A trial that somebody proposed is none of those that the strategy counts.
        rows = [row for row in rows if not row.proposed]
    point = ctx.strategy.next(rows)
    if point is None:
        return None
    base = next((t for t in trials if t.number == point.base), None)
    source = point.source or (base.source if base else "")
    trial = Trial(
        loop_id=ctx.loop.group,
        lane=ctx.loop.lane,
        number=len(trials) + 1,
        params=dict(point.params),
        label=point.label,
        smoke=point.smoke,
        carry_checkpoint=point.carry_checkpoint,
        repeat=point.repeat,
        source=source,
        entry=point.entry or (base.entry if base else ""),
        source_digest=_digest(ctx, source, trials, point.phase, base),
        environment={**(base.environment if base else {}), **point.environment},
        phase=point.phase,
        base=point.base,
    )
    twin = _twin(ctx, trial, trials)
    return (
        trial
        if twin is None
        else replace(trial, state="completed", metric=twin.metric, taken_from=twin.number)
    )


def _twin(ctx: Context, trial: Trial, trials: Sequence[Trial]) -> Trial | None:
    """A completed trial of an earlier phase that ran the same values on the same source.

    Each is taken over once by a phase, so that repeats, which measure the noise, are jobs of their own. A trial
    that continues a checkpoint is never the same point.
    """
    taken = {t.taken_from for t in trials if t.phase == trial.phase}
    ran = {job.trial: job for job in ctx.group_jobs() if job.status == "Completed"}
    params: dict[str, Value] | None = None
    for other in trials:
        known = other.number in ran or bool(other.taken_loop)
        if other.phase >= trial.phase or other.number in taken or not known:
            continue
        if other.state != "completed" or other.smoke or other.carry_checkpoint or trial.carry_checkpoint:
            continue
        if trial.smoke or (other.metric is None and ctx.goal is not None):
            continue
        alike = (other.source_digest, other.source, other.entry, other.environment)
        if alike != (trial.source_digest, trial.source, trial.entry, trial.environment):
            continue
        params = params_for(ctx, trial) if params is None else params
        if dict(ran[other.number].params if other.number in ran else other.params) == params:
            return other
    return None


def params_for(ctx: Context, trial: Trial) -> dict[str, Value]:
    """The hyperparameters of the trial's next job.

    The loop file's, then what patches made of them for earlier trials, then what the strategy chose, then what
    patches made of those for this trial.
    """
    return {
        **ctx.file.job.hyperparameters,
        **{k: v for k, (v, _) in carried(ctx, trial).items()},
        **trial.params,
        **_own(ctx, trial),
    }


def carried(ctx: Context, trial: Trial) -> Mapping[str, tuple[Value, str]]:
    """What this trial takes over from patches of earlier ones: the value and the job that was patched.

    A batch that did not fit in one trial does not fit in the next. What the strategy chooses for this trial
    is its own, and so is what the user has changed in the loop file since.
    """
    found: dict[str, tuple[Value, str]] = {}
    for job in ctx.group_jobs():
        if job.trial < trial.number:
            found |= {
                name: (value, job.name) for name, value in _patched(ctx, job) if name not in trial.params
            }
    return found


def carried_from(ctx: Context, trial: Trial) -> int | None:
    """The trial whose checkpoint this one begins with: that of its base; None where the loop's trials share one.

    "Keep training the best one" means the best one's weights, where the script left them in its checkpoint folder.
    """
    trials = {t.number: t for t in ctx.store.trials()}
    while trial.carry_checkpoint and trial.base in trials:
        trial = trials[trial.base]
        trial = trials.get(trial.taken_from or 0, trial)
    return None if trial.carry_checkpoint else trial.number


def _own(ctx: Context, trial: Trial) -> Mapping[str, Value]:
    return {
        name: value
        for job in ctx.group_jobs()
        if job.trial == trial.number
        for name, value in _patched(ctx, job)
    }


def _patched(ctx: Context, job: Job) -> Iterator[tuple[str, Value]]:
    """The hyperparameters that a job's patch changed and that the loop file still gives as it did then."""
    if job.patch is None:
        return
    given = ctx.file.job.hyperparameters
    for name, value in job.patch.hyperparameters.items():
        if job.patch.replaces.get(name) == given.get(name):
            yield name, value


def _digest(ctx: Context, source: str, trials: list[Trial], phase: int, base: Trial | None) -> str:
    """The snapshot: the newest patched one of the same folder in the same phase, else the base's.

    Without a base it is the newest of the folder, or the one taken at the start.
    """
    if base is not None:
        own = [t for t in trials if t.phase == phase and t.base == base.number and t.source == source]
        if own or base.source == source:
            return (own[-1] if own else base).source_digest
    if not source:
        return current_digest(ctx)
    known = next((t.source_digest for t in reversed(trials) if t.source == source), "")
    return known or ctx.sources.snapshot(source)


def current_digest(ctx: Context) -> str:
    """The loop's source as patches have left it, those that siblings made of the same one too."""
    digest = ctx.loop.source_digest
    if ctx.loop.lane:
        own = {t.number for t in ctx.store.trials() if not t.source and t.proposal is None}
        for job in ctx.group_jobs():
            if job.trial in own and job.patch and job.patch.base == digest and job.patch.result:
                digest = job.patch.result
    return digest


def row_of(trial: Trial) -> TrialRow:
    """A trial as a strategy sees it; a drawn one counts as running."""
    return TrialRow(
        number=trial.number,
        params=dict(trial.params),
        label=trial.label,
        smoke=trial.smoke,
        state="running" if trial.state == "pending" else trial.state,
        metric=trial.metric,
        fingerprint=trial.fingerprint or None,
        repeat=trial.repeat,
        source=trial.source or None,
        phase=trial.phase,
        proposed=trial.proposal is not None,
        elsewhere=bool(trial.taken_loop),
    )


def rows_of(trials: Sequence[Trial]) -> list[TrialRow]:
    """Trials as a strategy sees them: each once, with the mean of its repeats."""
    return [row_of(trial) for trial in merged(trials)]


def next_trial(ctx: Context) -> Trial | None:
    """The trial that needs a job: the first of this lane that is drawn or running; None where one is to be proposed."""
    busy = ("pending", "running")
    return next((t for t in ctx.store.trials() if t.state in busy and t.lane == ctx.loop.lane), None)
